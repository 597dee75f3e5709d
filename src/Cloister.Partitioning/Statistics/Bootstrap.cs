namespace Cloister.Partitioning.Statistics;

/// <summary>Intervals without an assumed distribution, from samples drawn again with replacement.</summary>
public static class Bootstrap
{
    /// <summary>Samples drawn unless said otherwise.</summary>
    public const int Resamples = 2_000;

    /// <summary>The percentile interval of a mean; the same seed gives the same interval everywhere.</summary>
    /// <param name="values">At least one; each finite.</param>
    /// <param name="seed">Any number.</param>
    /// <param name="resamples">How often to draw, at least 100.</param>
    /// <param name="confidence">Above 0 and below 1; both tails together hold the rest.</param>
    /// <exception cref="ArgumentException">There is no value, or one is not finite.</exception>
    public static Interval Mean(ReadOnlySpan<double> values, int seed, int resamples = Resamples, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 100);
        if (confidence is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "A confidence lies above 0 and below 1.");
        if (values.IsEmpty)
            throw new ArgumentException("There is no value to take a mean of.", nameof(values));
        double sum = 0;
        foreach (double value in values)
            sum += double.IsFinite(value) ? value : throw new ArgumentException($"{value} has no place in a mean.", nameof(values));
        var random = new SplitMix64(seed);
        double[] means = new double[resamples];
        for (int sample = 0; sample < resamples; sample++)
        {
            double drawn = 0;
            for (int i = 0; i < values.Length; i++)
                drawn += values[random.Below(values.Length)];
            means[sample] = drawn / values.Length;
        }
        Array.Sort(means);
        double tail = (1 - confidence) / 2;
        return new Interval(means[(int)(tail * (resamples - 1))], sum / values.Length, means[(int)Math.Ceiling((1 - tail) * (resamples - 1))]);
    }
}
