namespace Cloister.Bench;

/// <summary>Medians: a shared machine is noisy, and a mean belongs to its worst moment.</summary>
internal static class Samples
{
    public static double Median(IEnumerable<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
