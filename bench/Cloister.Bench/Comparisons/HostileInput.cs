using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Bench;

/// <summary>
/// A million mutations of real evidence and collateral: each is accepted or refused by a value. An exception, or an allocation
/// over 64 KiB + 4x the input, ends the run and names the mutation.
/// </summary>
internal sealed class HostileInput : IComparison
{
    private const int Seed = 20260601, AllowedAllocation = 64 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public string Name => "hostile-input";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (!QuoteSamples.Present) yield break;
        long deadline = Stopwatch.GetTimestamp() + (long)(Limit.TotalSeconds * Stopwatch.Frequency);
        foreach (Target target in Targets())
        {
            int done = 0, refused = 0;
            var random = new Random(Seed);
            foreach (byte[] sample in target.Samples) _ = target.Accepts(sample); // what is made once is not any input's
            for (; done < target.Count && Stopwatch.GetTimestamp() < deadline; done++)
            {
                cancellation.ThrowIfCancellationRequested();
                byte[] input = Mutate(target.Samples[done % target.Samples.Length], random);
                if (!Accepts(target, input, done)) refused++;
            }
            yield return new Figure($"hostile: {target.Name}", 0, done, "faults", "mutations", 0, string.Create(CultureInfo.InvariantCulture, $"{refused} refused, {done - refused} accepted"));
            if (done < target.Count) throw new TimeoutException($"{target.Name}: {done} of {target.Count} mutations within {Limit.TotalMinutes} minutes.");
        }
    }

    private sealed record Target(string Name, int Count, byte[][] Samples, Func<byte[], bool> Accepts);

    private static IEnumerable<Target> Targets()
    {
        byte[][] quotes = [.. QuoteSamples.All("attestation/tdx/real", ".quote"), .. QuoteSamples.All("attestation/sgx/real", ".quote")];
        byte[][] collateral = [.. QuoteSamples.All("attestation/tdx/real", ".collateral.json"), .. QuoteSamples.All("attestation/sgx/real", ".collateral.json")];
        DcapCollateral[] read = [.. collateral.Select(one => DcapCollateral.Parse(one).Value)];
        (TpmReport boot, byte[] log, byte[] nonce) = QuoteSamples.RecordedBoot();
        byte[] bootReport = boot.Encode();
        yield return new("SNP reports", 200_000, QuoteSamples.All("attestation/snp/real", ".bin"), bytes => SnpLayout.Parse(bytes).IsAccepted);
        yield return new("Intel quotes", 200_000, quotes, bytes => QuoteLayout.Parse(bytes).IsAccepted);
        yield return new("collateral", 60_000, collateral, bytes => DcapCollateral.Parse(bytes).IsAccepted);
        yield return new("TCB info", 80_000, [.. read.Select(one => one.TcbInfo.ToArray())], bytes => TcbInfoReader.Parse(bytes).IsAccepted);
        yield return new("QE identity", 80_000, [.. read.Select(one => one.QeIdentity.ToArray())], bytes => QeIdentity.Parse(bytes).IsAccepted);
        yield return new("certificates", 120_000, QuoteSamples.All("attestation/snp/real", ".vek.der"), bytes => CertificateParser.ParseAny(bytes).IsAccepted);
        yield return new("PEM chains", 40_000, [.. read.Select(one => one.TcbInfoIssuerChain.ToArray())], bytes => CertificateParser.ParsePem(bytes).IsAccepted);
        yield return new("revocation lists", 60_000, [.. read.Select(one => one.PckCrl.ToArray()), .. read.Select(one => one.RootCrl.ToArray())], bytes => CrlParser.Parse(bytes).IsAccepted);
        yield return new("TPM structures", 80_000, [boot.Attest.ToArray(), boot.Key.ToArray(), boot.Signature.ToArray(), bootReport],
            bytes => TpmLayout.ParseAttest(bytes).IsAccepted | TpmLayout.ParsePublic(bytes).IsAccepted | TpmLayout.ParseSignature(bytes).IsAccepted | TpmReport.Parse(bytes).IsAccepted);
        yield return new("event logs", 40_000, [log, .. QuoteSamples.All("attestation/tpm/real", ".eventlog")], bytes => TcgEventLog.Parse(bytes).IsAccepted);

        SnpVerifier snp = new();
        byte[] genoa = QuoteSamples.Read("attestation/snp/real/snp-real-genoa-v3.bin"), vek = QuoteSamples.Read("attestation/snp/real/snp-real-genoa-v3.vek.der");
        yield return new("whole SNP proofs", 20_000, [vek], bytes =>
            snp.ProveReport(genoa, new Endorsements([new Endorsement(SnpEndorsements.SigningKey, bytes)]), Anchors.Pinned, VerificationTime.NoTimeCheck, false).Claims is not null
            && (bytes.AsSpan().SequenceEqual(vek) ? true : throw new InvalidOperationException("a changed certificate was accepted")));
        byte[] tdx = QuoteSamples.Read("attestation/tdx/real/tdx-real-v4-uptodate.quote"), sgx = QuoteSamples.Read("attestation/sgx/real/sgx-real-v3.quote");
        foreach ((IVerifier verifier, byte[] quote, string name) in new (IVerifier, byte[], string)[] { (new TdxVerifier(), tdx, "tdx/real/tdx-real-v4-uptodate"), (new SgxVerifier(), sgx, "sgx/real/sgx-real-v3") })
        {
            var endorsements = new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, QuoteSamples.Read($"attestation/{name}.collateral.json"))]);
            yield return new($"whole {verifier.Kind} proofs", 5_000, [quote], bytes =>
                verifier.Prove(new Evidence(verifier.Kind, bytes, default, default, []), new byte[64], endorsements, Anchors.Pinned, VerificationTime.NoTimeCheck).Claims is not null);
        }
        TpmVerifier tpm = new();
        yield return new("whole TPM proofs", 10_000, [log], bytes =>
            tpm.Prove(new Evidence(TeeKind.Tpm, bootReport, bytes, default, []), nonce, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Claims is not null);
    }

    private static bool Accepts(Target target, byte[] input, int number)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool accepted;
        try
        {
            accepted = target.Accepts(input);
        }
        catch (Exception thrown)
        {
            throw new InvalidOperationException($"{target.Name}: mutation {number} of seed {Seed} threw.", thrown);
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated <= AllowedAllocation + (4L * input.Length) ? accepted
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{target.Name}: mutation {number} of seed {Seed} allocated {allocated} bytes for {input.Length}."));
    }

    /// <summary>One to three changes: a bit, a cut, a repetition, an overwritten run.</summary>
    private static byte[] Mutate(byte[] valid, Random random)
    {
        byte[] bytes = [.. valid];
        for (int change = random.Next(1, 4); change > 0 && bytes.Length > 0; change--)
        {
            int at = random.Next(bytes.Length), length = Math.Min(random.Next(1, 9), bytes.Length - at);
            switch (random.Next(4))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes = [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)]; break;
                case 2: bytes = [.. bytes.AsSpan(0, at + length), .. bytes.AsSpan(at)]; break;
                default:
                    for (int i = at; i < at + length; i++)
                        bytes[i] = random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => (byte)random.Next(256) };
                    break;
            }
        }
        return bytes;
    }
}
