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

    /// <summary>How often chance alone gives so many or more: the exact upper tail of the binomial distribution, 0 to 1.</summary>
    /// <param name="successes">0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 1.</param>
    /// <param name="chance">What one trial succeeds with by chance, 0 to 1.</param>
    /// <remarks>
    /// A verdict is made of this and not of an interval's end: with few successes at a small chance Wilson's lower bound lies above chance
    /// far more often than its confidence says (3 of 60 at 1/60: 7.8 % in place of 2.5 %).
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A number lies outside its range.</exception>
    public static double ChanceOfAsMany(int successes, int trials, double chance)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(trials);
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, trials);
        if (chance is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(chance), chance, "A chance lies between 0 and 1.");
        if (successes == 0 || chance == 1)
            return 1;
        if (chance == 0)
            return 0;
        double tail = 0, logarithm = trials * Math.Log(1 - chance), odds = Math.Log(chance) - Math.Log(1 - chance);
        for (int i = 1; i <= trials; i++)
        {
            logarithm += Math.Log(trials - i + 1) - Math.Log(i) + odds;
            if (i >= successes)
                tail += Math.Exp(logarithm);
        }
        return Math.Min(1, tail);
    }

    /// <summary>
    /// Whether so many are more than chance explains: chance alone gives as many in no more than the share that the confidence leaves at
    /// one end, 2.5 % of 95 % (decision 0179).
    /// </summary>
    internal static bool ExceedsChance(int successes, int trials, double chance, double confidence = 0.95) =>
        ChanceOfAsMany(successes, trials, chance) <= (1 - confidence) / 2;
}
