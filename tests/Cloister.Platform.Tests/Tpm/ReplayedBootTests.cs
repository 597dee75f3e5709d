using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>
/// A recorded boot, extended event by event into another TPM: the evidence that this library issues there passes with its log, and a
/// secret that was sealed to the prediction before opens.
/// </summary>
public sealed class ReplayedBootTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [SwtpmFact(needsData: true)]
    public async Task A_replayed_boot_is_accepted_by_its_image_s_measurements_and_opens_what_was_sealed_to_them()
    {
        using var recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("vtpm/quote-h.json")));
        byte[] log = recorded.RootElement.GetProperty("eventLog").GetBytesFromBase64();
        ImageMeasurements image = await ImageAsync();
        using var tpm = new Swtpm();
        tpm.Write("log", log);
        using var issuer = TpmIssuer.Open(tpm.Address, new BootLogs(tpm.In("log"), null));
        using var device = new TpmDevice(tpm.Address);
        TpmSealedSecret secret = TpmSealedSecret.SealFor(TpmLayout.ParsePublic(await device.StorageKeyAsync(None)).Value, image, BootPath.Kernel, "key"u8);
        Assert.Equal(PlatformError.TpmPolicyRefused, (await Assert.ThrowsAsync<PlatformException>(async () => await device.UnsealAsync(secret, default, None))).Error);

        foreach ((int pcr, byte[] digest) in Measured(log))
            await device.ExtendAsync(pcr, TpmAlgorithm.Sha256, digest, None);
        Assert.Equal("key"u8.ToArray(), await device.UnsealAsync(secret, default, None));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var binding = new Binding(AttesterRole.Workload, RandomNumberGenerator.GetBytes(32), key.ExportSubjectPublicKeyInfo());
        EvidenceSet evidence = await issuer.IssueAsync(binding, default, None);
        string name = Convert.ToHexStringLower(TpmLayout.ParsePublic(TpmReport.Parse(evidence.Primary.Report).Value.Key).Value.Name.Span);
        var policy = TpmPolicy.Of(new TpmImage(image, BootPath.Kernel), new TpmKeyPolicy.Named(Requirement.Exactly(name)));
        AttestationResult result = VerifierRegistry.CreateDefault().Appraise(evidence, binding, policy, VerificationTime.NoTimeCheck);
        Assert.Null(result.Refused);
        Assert.Equal("false", result.RequireAccepted().Fields[TpmFields.OfBoot(TpmAlgorithm.Sha256, TpmFields.Boot.SecureBoot)]);

        // One more measurement than the log has: the log no longer explains the quote, and the secret stays closed.
        await device.ExtendAsync(12, TpmAlgorithm.Sha256, new byte[32], None);
        Assert.Equal(Refusal.EventLogReplay, VerifierRegistry.CreateDefault().Appraise(await issuer.IssueAsync(binding, default, None), binding, policy, VerificationTime.NoTimeCheck).Refused!.Refusal);
        PlatformException refused = await Assert.ThrowsAsync<PlatformException>(async () => await device.UnsealAsync(secret, default, None));
        Assert.Contains("PCR 12 (the overridden command line", refused.Message, StringComparison.Ordinal);
    }

    private static List<(int Pcr, byte[] Digest)> Measured(byte[] log)
    {
        TcgEventLog parsed = TcgEventLog.Parse(log).Value;
        var measured = new List<(int, byte[])>();
        foreach (TcgEvent one in parsed.Events)
            if (one.Type != TcgEventType.NoAction) measured.Add((one.Pcr, parsed.DigestOf(one, TpmAlgorithm.Sha256).ToArray()));
        return measured;
    }

    private static async Task<ImageMeasurements> ImageAsync()
    {
        using var expected = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("vtpm/expected-h.json")));
        string zero = new('0', 64);
        return new ImageMeasurements
        {
            Name = "recorded", Product = 1, Version = 1, Debug = false, Uki = zero, RootHash = zero,
            Pcrs = ImmutableSortedDictionary<BootPath, ImmutableSortedDictionary<int, string>>.Empty.Add(BootPath.Kernel,
                BootPrediction.Pcrs.ToImmutableSortedDictionary(pcr => pcr, pcr => expected.RootElement.GetProperty(pcr.ToString(CultureInfo.InvariantCulture)).GetString()!)),
        };
    }
}
