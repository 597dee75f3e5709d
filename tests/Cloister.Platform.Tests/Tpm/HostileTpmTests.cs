using System.Buffers.Binary;
using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>A TPM whose every answer may be changed on its way: each call ends with what it promises, or with its own exception.</summary>
public sealed class HostileTpmTests
{
    private const int Rounds = 150;
    private static readonly CancellationToken None = CancellationToken.None;

    [SwtpmFact]
    public async Task Changed_answers_are_refused_or_do_no_harm()
    {
        using var tpm = new Swtpm(certified: true);
        using var honest = new TpmDevice(tpm.Address);
        TpmPcrSelection selection = TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [0, 4, 11]);
        TpmSealedSecret here = await honest.SealAsync(selection, "secret"u8.ToArray(), default, None);
        var zero = ImmutableSortedDictionary.CreateRange<int, ReadOnlyMemory<byte>>([new(4, new byte[32])]);
        TpmSealedSecret afar = TpmSealedSecret.SealFor(TpmLayout.ParsePublic(await honest.StorageKeyAsync(None)).Value, zero, "secret"u8);
        TpmEndorsement keys = await honest.EndorsementAsync(None);
        TpmCredential credential = TpmCredential.Make(TpmLayout.ParsePublic(keys.EndorsementKey).Value, TpmLayout.ParsePublic(keys.AttestationKey).Value.Name.Span, "secret"u8);

        var random = new Random(5);
        await using var between = new FakeTpm(command => Changed(tpm.Exchange(command), random));
        using var device = new TpmDevice(between.Address);
        using var issuer = TpmIssuer.Open(between.Address);
        var binding = new Binding(AttesterRole.Workload, new byte[32], new byte[91]);
        int refused = 0, done = 0;
        for (int i = 0; i < Rounds; i++)
        {
            await TryAsync(async () => await issuer.IssueAsync(binding, default, None));
            await TryAsync(async () => await device.ReadPcrsAsync(selection, None));
            await TryAsync(async () => await device.ActivateAsync(credential, None));
            await TryAsync(async () => Assert.Equal("secret"u8.ToArray(), await device.UnsealAsync(here, default, None)));
            await TryAsync(async () => Assert.Equal("secret"u8.ToArray(), await device.UnsealAsync(afar, default, None)));
            await TryAsync(async () => await device.SealAsync(selection, "secret"u8.ToArray(), default, None));
            await TryAsync(async () => await new TpmNvMemory(device).ReadAsync(0x01C00002, default, None));
        }
        Assert.NotEqual(0, refused);
        Assert.NotEqual(0, done);

        async Task TryAsync(Func<Task> call)
        {
            try
            {
                await call();
                done++;
            }
            catch (PlatformException)
            {
                refused++;
            }
        }
    }

    /// <summary>Changes one answer in eight, but for its stated size: a longer one would only be waited for.</summary>
    private static byte[] Changed(byte[] answer, Random random)
    {
        const int sizeAt = 2, sizeEnd = 6;
        if (random.Next(8) != 0) return answer;
        if (random.Next(3) == 0)
        {
            answer = random.Next(2) == 0 ? answer[..random.Next(10, answer.Length + 1)] : [.. answer, 1, 2, 3];
            BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(sizeAt), answer.Length);
            return answer;
        }
        for (int flips = random.Next(1, 4); flips > 0; flips--)
        {
            int at = random.Next(answer.Length);
            if (at is < sizeAt or >= sizeEnd) answer[at] = (byte)(random.Next(2) == 0 ? random.Next(256) : answer[at] ^ 1 << random.Next(8));
        }
        return answer;
    }
}
