using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Secrets sealed to PCRs, here and from afar, against a software TPM and tpm2-tools.</summary>
public sealed class TpmSealingTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly byte[] Secret = "a key of a model"u8.ToArray(), Purpose = "state"u8.ToArray();

    [SwtpmFact]
    public async Task A_sealed_secret_opens_in_the_same_state_alone()
    {
        using var tpm = new Swtpm();
        using var sealer = new TpmSealer(tpm.Address);
        byte[] sealedSecret = await sealer.SealAsync(Secret, Purpose, None);
        Assert.Equal(Secret, await sealer.UnsealAsync(sealedSecret, Purpose, None));
        Assert.Equal(PlatformError.UnsealRefused, (await Refused(() => sealer.UnsealAsync(sealedSecret, "other"u8.ToArray(), None))).Error);

        using var device = new TpmDevice(tpm.Address);
        await device.ExtendAsync(5, TpmAlgorithm.Sha256, new byte[32], None);
        Assert.Equal(Secret, await sealer.UnsealAsync(sealedSecret, Purpose, None));
        await device.ExtendAsync(9, TpmAlgorithm.Sha256, new byte[32], None);
        PlatformException refused = await Refused(() => sealer.UnsealAsync(sealedSecret, Purpose, None));
        Assert.Equal(PlatformError.UnsealRefused, refused.Error);
        Assert.Equal(0x99Du, refused.TpmCode);
        Assert.Contains("PCR 9 (", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("PCR 4", refused.Message, StringComparison.Ordinal);

        tpm.Kill();
        tpm.Start();
        Assert.Equal(Secret, await sealer.UnsealAsync(sealedSecret, Purpose, None));
    }

    [SwtpmFact]
    public async Task A_secret_of_another_machine_is_refused()
    {
        using Swtpm tpm = new(), other = new();
        using TpmSealer sealer = new(tpm.Address), stranger = new(other.Address);
        PlatformException refused = await Refused(async () => await stranger.UnsealAsync(await sealer.SealAsync(Secret, Purpose, None), Purpose, None));
        Assert.Equal(PlatformError.UnsealRefused, refused.Error);
        Assert.Equal(PlatformError.TpmSealedElsewhere, Assert.IsType<PlatformException>(refused.InnerException).Error);
    }

    [SwtpmTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_secret_is_sealed_from_afar_to_a_state_that_never_was(bool toEndorsementKey)
    {
        using var tpm = new Swtpm(certified: toEndorsementKey);
        using var device = new TpmDevice(tpm.Address);
        byte[] parent = toEndorsementKey ? (await device.EndorsementAsync(None)).EndorsementKey.ToArray() : await device.StorageKeyAsync(None);
        byte[] measured = SHA256.HashData("an image"u8), expected = SHA256.HashData([.. new byte[32], .. measured]);
        var pcrs = ImmutableSortedDictionary.CreateRange<int, ReadOnlyMemory<byte>>([new(4, expected), new(11, new byte[32])]);
        byte[] file = TpmSealedSecret.SealFor(TpmLayout.ParsePublic(parent).Value, pcrs, Secret).Encode();

        var secret = TpmSealedSecret.Parse(file);
        Assert.Equal(PlatformError.TpmPolicyRefused, (await Refused(() => device.UnsealAsync(secret, default, None))).Error);
        await device.ExtendAsync(4, TpmAlgorithm.Sha256, measured, None);
        Assert.Equal(Secret, await device.UnsealAsync(secret, default, None));

        using Swtpm other = new();
        using var stranger = new TpmDevice(other.Address);
        await stranger.ExtendAsync(4, TpmAlgorithm.Sha256, measured, None);
        Assert.Equal(PlatformError.TpmSealedElsewhere, (await Refused(() => stranger.UnsealAsync(secret, default, None))).Error);

        // Whoever changes the stated values changes the policy, and the name that the integrity value covers.
        TpmSealedSecret wider = secret with { Pcrs = secret.Pcrs.Remove(11) };
        Assert.Equal(PlatformError.TpmSealedInvalid, (await Refused(() => device.UnsealAsync(wider, default, None))).Error);
    }

    private static async Task<PlatformException> Refused(Func<ValueTask<byte[]>> open) => await Assert.ThrowsAsync<PlatformException>(async () => await open());
}
