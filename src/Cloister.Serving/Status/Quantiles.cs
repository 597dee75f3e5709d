using Cloister.Serving.Metrics;

namespace Cloister.Serving.Status;

/// <summary>Reads quantiles off a histogram, as Prometheus does: straight through the interval in which they lie.</summary>
internal static class Quantiles
{
    /// <summary>The value that a part of the observations does not exceed; NaN if there is none, the last bound if it lies above it.</summary>
    public static double Of(Histogram histogram, double part)
    {
        long[] counts = histogram.Counts();
        long total = counts.Sum();
        if (total == 0) return double.NaN;
        double rank = part * total;
        long before = 0;
        for (int i = 0; i < counts.Length - 1; i++)
        {
            if (before + counts[i] >= rank && counts[i] > 0)
            {
                double lower = i == 0 ? 0 : histogram.Bounds[i - 1];
                return lower + (histogram.Bounds[i] - lower) * (rank - before) / counts[i];
            }
            before += counts[i];
        }
        return histogram.Bounds[^1];
    }
}
