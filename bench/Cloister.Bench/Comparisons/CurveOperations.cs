using System.Globalization;
using System.Security.Cryptography;

namespace Cloister.Bench;

/// <summary>What bare operations on a curve cost here and now, in microseconds of CPU time: the floor under every activation.</summary>
internal sealed record CurveOperations(double Generate, double Sign, double Verify)
{
    private const int Runs = 60;

    public static CurveOperations Measure(ECCurve curve, HashAlgorithmName hash)
    {
        using ECDsa key = ECDsa.Create(curve);
        byte[] data = RandomNumberGenerator.GetBytes(200), signature = key.SignData(data, hash);
        return new CurveOperations(
            Time(() =>
            {
                using ECDsa made = ECDsa.Create(curve);
                _ = made.ExportParameters(false);
            }),
            Time(() => key.SignData(data, hash)),
            Time(() => key.VerifyData(data, signature, hash)));
    }

    private static double Time(Action work)
    {
        work();
        long start = ThreadNanoseconds();
        for (int run = 0; run < Runs; run++)
            work();
        return (ThreadNanoseconds() - start) / 1000.0 / Runs;
    }

    // The time this thread ran, whatever else the machine did (Linux, sched-stats.rst).
    private static long ThreadNanoseconds() => long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);
}
