namespace Cloister.Serving.Statistics;

/// <summary>How often something happened and how long it took in sum (the extension's <c>$duration_stat</c>). Counted without a lock.</summary>
internal sealed class DurationStatistic
{
    private long _count, _ticks;

    public long Count => Interlocked.Read(ref _count);

    /// <summary>The sum, in nanoseconds.</summary>
    public long Nanoseconds => Interlocked.Read(ref _ticks) * TimeSpan.NanosecondsPerTick;

    public void Add(TimeSpan duration)
    {
        // In this order: whoever reads the count first has at least the times of what was counted.
        Interlocked.Add(ref _ticks, Math.Max(0, duration.Ticks));
        Interlocked.Increment(ref _count);
    }
}
