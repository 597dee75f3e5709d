using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Ring;

namespace Cloister.Bench;

/// <summary>
/// The negacyclic transform over a 49-bit prime on one thread, beside the recorded figures of SEAL with HEXL 1.2.5 and of SEAL 4.4.3 alone (AMD Zen 5, about 4 GHz),
/// and beside HEXL on this machine where CLOISTER_BENCH_HEXL names the program built from bench/hexl/transform.cpp. The bars are for the recorded figures with HEXL.
/// </summary>
internal sealed class Transform : IComparison
{
    private const int Batches = 200, InBatch = 20;

    private static readonly (int Degree, double HexlForward, double HexlInverse, double SealForward, double SealInverse)[] Recorded =
        [(4096, 3.44, 3.89, 39.9, 26.9), (8192, 6.46, 7.12, 85.3, 57.4), (16384, 13.6, 15.2, 175.7, 123)];

    public string Name => "transform";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var recorded in Recorded)
        {
            JsonNode? here = await HexlAsync(recorded.Degree, cancellation);
            (double forward, double inverse) = Measure(recorded.Degree);
            string width = $"{VectorWidths.Best}";
            yield return Of("forward", recorded.Degree, forward, recorded.HexlForward, "SEAL+HEXL, recorded", 1.1, width);
            yield return Of("inverse", recorded.Degree, inverse, recorded.HexlInverse, "SEAL+HEXL, recorded", 0.9, width);
            yield return Of("forward", recorded.Degree, forward, recorded.SealForward, "SEAL, recorded", double.PositiveInfinity, width);
            yield return Of("inverse", recorded.Degree, inverse, recorded.SealInverse, "SEAL, recorded", double.PositiveInfinity, width);
            if (here is null) continue;
            yield return Of("forward", recorded.Degree, forward, (double)here["forward"]!, "HEXL, this machine", double.PositiveInfinity, width);
            yield return Of("inverse", recorded.Degree, inverse, (double)here["inverse"]!, "HEXL, this machine", double.PositiveInfinity, width);
        }
    }

    private static Figure Of(string direction, int degree, double ours, double peer, string name, double bar, string width) =>
        new($"transform: {direction}, n = {degree}", ours, peer, "us", name, bar, width);

    private static (double Forward, double Inverse) Measure(int degree)
    {
        var ntt = new NegacyclicNtt(degree, new Modulus(NttPrimes.Generate(49, 2 * (ulong)degree, 1)[0]));
        using var polynomial = new RnsPolynomial(new RnsBasis(degree, ntt.Modulus));
        using (SeedExpander stream = SeedExpander.Fresh()) Samplers.Uniform(stream, polynomial);
        return (Least(() => ntt.Forward(polynomial.Limb(0))), Least(() => ntt.Inverse(polynomial.Limb(0))));
    }

    // The least of many short batches: what other processes take of the cores only ever adds.
    private static double Least(Action transform)
    {
        for (int i = 0; i < 2_000; i++) transform();
        double least = double.PositiveInfinity;
        for (int batch = 0; batch < Batches; batch++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < InBatch; i++) transform();
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMicroseconds / InBatch);
        }
        return least;
    }

    private static async Task<JsonNode?> HexlAsync(int degree, CancellationToken cancellation)
    {
        if (Environment.GetEnvironmentVariable("CLOISTER_BENCH_HEXL") is not { Length: > 0 } program) return null;
        using Process hexl = Process.Start(new ProcessStartInfo(program, degree.ToString(CultureInfo.InvariantCulture)) { RedirectStandardOutput = true })!;
        string output = await hexl.StandardOutput.ReadToEndAsync(cancellation);
        await hexl.WaitForExitAsync(cancellation);
        return JsonNode.Parse(output);
    }
}
