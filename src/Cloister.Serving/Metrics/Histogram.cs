namespace Cloister.Serving.Metrics;

/// <summary>Counts of observations up to each bound; an observation equal to a bound belongs to it.</summary>
/// <param name="bounds">Ascending; what lies above the last is counted as well.</param>
internal sealed class Histogram(double[] bounds)
{
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    public IReadOnlyList<double> Bounds { get; } = bounds;

    public double Sum => Volatile.Read(ref _sum);

    /// <summary><c>first * growth^i</c>, <paramref name="count"/> of them.</summary>
    public static double[] Exponential(double first, double growth, int count) => [.. Enumerable.Range(0, count).Select(i => first * Math.Pow(growth, i))];

    public void Observe(double value)
    {
        if (double.IsNaN(value)) return;
        int index = Array.BinarySearch(bounds, value);
        Interlocked.Increment(ref _counts[index >= 0 ? index : ~index]);
        double before, seen = Volatile.Read(ref _sum);
        do
        {
            before = seen;
            seen = Interlocked.CompareExchange(ref _sum, before + value, before);
        }
        while (seen != before);
    }

    /// <summary>How many observations lie in each interval, the last one without bound.</summary>
    public long[] Counts()
    {
        long[] counts = new long[_counts.Length];
        for (int i = 0; i < counts.Length; i++) counts[i] = Volatile.Read(ref _counts[i]);
        return counts;
    }
}
