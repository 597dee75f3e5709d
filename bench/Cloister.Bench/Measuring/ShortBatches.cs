using System.Diagnostics;

namespace Cloister.Bench;

/// <summary>Times what takes microseconds, on one thread.</summary>
internal static class ShortBatches
{
    private const int Batches = 400;

    // The compiler's last tier comes after a while, on a thread of its own.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    /// <summary>Microseconds of one run: the least of many short batches, since what other processes take of the cores only ever adds.</summary>
    /// <param name="action">What is timed; it is warmed up first.</param>
    /// <param name="inBatch">Runs in a batch.</param>
    public static double Least(Action action, int inBatch)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;) action();
        double least = double.PositiveInfinity;
        for (int batch = 0; batch < Batches; batch++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < inBatch; i++) action();
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMicroseconds / inBatch);
        }
        return least;
    }
}
