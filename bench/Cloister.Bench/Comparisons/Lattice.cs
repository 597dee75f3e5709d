using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Ring;

namespace Cloister.Bench;

/// <summary>
/// BFV on one thread, over chains with as many primes as SEAL's defaults, beside the recorded figures of SEAL 4.4.3 with HEXL 1.2.5 and alone (AMD Zen 5, about
/// 4 GHz), node-seal in the same run, and SEAL with HEXL on this machine where CLOISTER_BENCH_SEAL names the program built from bench/hexl/lattice.cpp.
/// </summary>
internal sealed class Lattice : IComparison
{
    private static readonly string SealFolder = Path.Combine(BenchContext.Root, "tests", "Cloister.Homomorphic.Tests", "node");

    // Recorded: SEAL and SEAL+HEXL at 4096, 8192 and 16384. The bars are for the recorded figures with HEXL.
    private static readonly (string Operation, double Bar, double[] Seal, double[] Hexl)[] Recorded =
    [
        ("encryptPublic", 0.6, [639, 1952, 6822], [299, 734, 2382]),
        ("encryptSymmetric", 0.6, [365, 1321, 5029], [256, 836, 3042]),
        ("decrypt", double.PositiveInfinity, [181, 692, 2754], [69, 211, 807]),
        ("add", double.PositiveInfinity, [16.5, 67, 279], [2.5, 14.7, 78]),
        ("multiply", 0.6, [1957, 7928, 33101], [1038, 4118, 21934]),
        ("multiplyPlain", double.PositiveInfinity, [278, 1305, 5916], [37, 172, 768]),
        ("multiplyPrepared", double.PositiveInfinity, [35, 139, 582], [3.0, 14, 97]),
        ("relinearize", 0.5, [430, 2245, 15077], [153, 777, 6407]),
        ("rotate", 0.5, [441, 2216, 14817], [160, 803, 6380]),
    ];

    public string Name => "lattice";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach ((int index, int degree) in new[] { 4096, 8192, 16384 }.Index())
        {
            JsonNode? node = await NodeAsync(degree, cancellation), here = await HereAsync(degree, cancellation);
            using var operations = new LatticeOperations(degree);
            foreach ((string operation, double bar, double[] seal, double[] hexl) in Recorded)
            {
                double ours = Least(operations.Of(operation));
                string name = $"lattice: {operation}, n = {degree}", width = $"{VectorWidths.Best}";
                yield return new Figure(name, ours, hexl[index], "us", "SEAL+HEXL, recorded", bar, width);
                yield return new Figure(name, ours, seal[index], "us", "SEAL, recorded", double.PositiveInfinity, width);
                if (here is not null) yield return new Figure(name, ours, (double)here[operation]!, "us", "SEAL+HEXL, this machine", double.PositiveInfinity, width);
                if (node is not null) yield return new Figure(name, ours, (double)node[operation]!, "us", "node-seal 7", double.PositiveInfinity, width);
            }
        }
    }

    // The least of many batches of about 200 us, shorter than a scheduler's turn: what other processes take of the cores only ever adds.
    private static double Least(Action operation)
    {
        // Long enough for the optimising compiler to have seen everything.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalMilliseconds < 400;) operation();
        int inBatch = Math.Clamp((int)(200 / Time(operation, 1)), 1, 50);
        double least = double.PositiveInfinity;
        for (int batch = 0; batch < 200; batch++) least = Math.Min(least, Time(operation, inBatch));
        return least;
    }

    private static double Time(Action operation, int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++) operation();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
    }

    private static async Task<JsonNode?> NodeAsync(int degree, CancellationToken cancellation)
    {
        string node = Path.Combine(SealFolder, "node_modules", ".bin", "node");
        return File.Exists(node) ? await BenchContext.RunNodeAsync("seal-lattice.mjs", node, cancellation, SealFolder, Text(degree)) : null;
    }

    private static async Task<JsonNode?> HereAsync(int degree, CancellationToken cancellation)
    {
        if (Environment.GetEnvironmentVariable("CLOISTER_BENCH_SEAL") is not { Length: > 0 } program) return null;
        using Process seal = Process.Start(new ProcessStartInfo(program, Text(degree)) { RedirectStandardOutput = true })!;
        string output = await seal.StandardOutput.ReadToEndAsync(cancellation);
        await seal.WaitForExitAsync(cancellation);
        return JsonNode.Parse(output);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
