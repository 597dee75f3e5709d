namespace Cloister.Partitioning.Statistics;

/// <summary>Intervals of a share: so many of so many.</summary>
public static class Proportion
{
    /// <summary>Wilson's score interval (E. B. Wilson, JASA 22, 1927): useful for few trials and for shares near 0 and 1.</summary>
    /// <param name="successes">0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 1.</param>
    /// <param name="confidence">Above 0 and below 1; both tails together hold the rest.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number lies outside its range.</exception>
    public static Interval Wilson(int successes, int trials, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(trials);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, trials);
        double z = Normal.Deviate(confidence), n = trials, share = successes / n;
        double centre = share + z * z / (2 * n), reach = z * Math.Sqrt(share * (1 - share) / n + z * z / (4 * n * n)), scale = 1 + z * z / n;
        // At the ends the bound is exact; rounding must not move it off 0 or 1.
        return new Interval(
            successes == 0 ? 0 : Math.Max(0, (centre - reach) / scale),
            share,
            successes == trials ? 1 : Math.Min(1, (centre + reach) / scale));
    }
}
