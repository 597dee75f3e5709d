using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Bench;

/// <summary>Whole verifications of real Intel quotes beside dcap-qvl on Node; then what two threads gain, and what one verification allocates.</summary>
internal sealed class QuotePeers : IComparison
{
    private const int Runs = 200, Rounds = 5;
    private const long FixedAllocation = 64 << 10, AllocationPerByte = 4;
    private static readonly DateTimeOffset Now = new(2025, 7, 10, 0, 0, 0, TimeSpan.Zero);

    public string Name => "quote-peers";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!QuoteSamples.Present)
            yield break;
        foreach ((string name, string sample, bool tdx) in new[] { ("TDX v4", "tdx/real/tdx-real-v4-uptodate", true), ("SGX v3", "sgx/real/sgx-real-v3", false) })
        {
            Quote quote = new(sample, tdx);
            yield return await BesidePeerAsync(name, quote, cancellation);
            yield return await TwoThreadsAsync(name, quote);
            yield return Allocations(name, quote);
        }
    }

    private static async Task<Figure> BesidePeerAsync(string name, Quote quote, CancellationToken cancellation)
    {
        var ours = new List<double>();
        var peer = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            ours.Add(Time(Runs, () => quote.Verify(quote.CreateVerifier())));
            JsonNode node = await BenchContext.RunNodeAsync("verify-quote.mjs", cancellation, quote.QuotePath, quote.CollateralPath,
                Now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), "50");
            peer.Add((double)node["microseconds"]!);
        }
        return new Figure($"{name}, cold", Samples.Median(ours), Samples.Median(peer), "us", "dcap-qvl 0.3.9 on Node", 1.0);
    }

    private static async Task<Figure> TwoThreadsAsync(string name, Quote quote)
    {
        IVerifier verifier = quote.CreateVerifier();
        var one = new List<double>();
        var two = new List<double>();
        for (int round = 0; round <= Rounds; round++)
        {
            double single = Time(4 * Runs, () => quote.Verify(verifier));
            long start = Stopwatch.GetTimestamp();
            Task[] threads = [.. Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
                () => Time(2 * Runs, () => quote.Verify(verifier)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            await Task.WhenAll(threads);
            double both = Stopwatch.GetElapsedTime(start).TotalMicroseconds / (4 * Runs);
            if (round > 0)
            {
                one.Add(single);
                two.Add(both);
            }
        }
        return new Figure($"{name}, warm, a verification on two threads", Samples.Median(two), Samples.Median(one), "us", "on one thread", 0.6);
    }

    private static Figure Allocations(string name, Quote quote)
    {
        quote.Verify(quote.CreateVerifier());
        IVerifier verifier = quote.CreateVerifier();
        long before = GC.GetAllocatedBytesForCurrentThread();
        quote.Verify(verifier);
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        return new Figure($"{name}, cold, allocated", bytes, FixedAllocation + (AllocationPerByte * quote.InputBytes), "bytes", "64 KiB + 4 x input", 1.0);
    }

    private static double Time(int runs, Action work)
    {
        work();
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < runs; run++)
            work();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / runs;
    }

    /// <summary>A real quote with its collateral.</summary>
    private sealed class Quote
    {
        private readonly bool _tdx;
        private readonly Evidence _evidence;
        private readonly Endorsements _endorsements;
        private readonly ReadOnlyMemory<byte> _reportData;

        public Quote(string sample, bool tdx)
        {
            _tdx = tdx;
            QuotePath = QuoteSamples.PathOf($"attestation/{sample}.quote");
            CollateralPath = QuoteSamples.PathOf($"attestation/{sample}.collateral.json");
            byte[] quote = File.ReadAllBytes(QuotePath), collateral = File.ReadAllBytes(CollateralPath);
            InputBytes = quote.Length + collateral.Length;
            ReadOnlyMemory<byte> body = QuoteLayout.Parse(quote).Value.Body;
            _reportData = tdx ? new TdReport(body).ReportData : new EnclaveReport(body).ReportData;
            _evidence = new Evidence(tdx ? TeeKind.Tdx : TeeKind.Sgx, quote, default, default, []);
            _endorsements = new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, collateral)]);
        }

        public string QuotePath { get; }

        public string CollateralPath { get; }

        public int InputBytes { get; }

        public IVerifier CreateVerifier() => _tdx ? new TdxVerifier() : new SgxVerifier();

        public void Verify(IVerifier verifier)
        {
            if (verifier.Prove(_evidence, _reportData, _endorsements, Anchors.Pinned, VerificationTime.At(Now)).Claims is null)
                throw new InvalidOperationException($"{QuotePath} is not proven.");
        }
    }
}
