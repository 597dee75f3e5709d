namespace Cloister.Partitioning.Statistics;

/// <summary>
/// How well numbers tell one kind of thing from another: how often one of the kind that is sought has the greater number, ties counted as
/// half (the area under the receiver's curve). 0.5 by chance.
/// </summary>
public static class AreaUnderCurve
{
    /// <summary>The area by chance.</summary>
    public const double Chance = 0.5;

    /// <summary>
    /// The area. The interval holds every true value that would not make the observed one improbable, its variance by J. Hanley and
    /// B. McNeil (Radiology 143, 1982) at that true value (R. Newcombe, Statistics in Medicine 25, 2006, method 5), so that it has a width at 0 and 1 too.
    /// </summary>
    /// <param name="sought">Numbers of the things that are sought, at least one.</param>
    /// <param name="others">Numbers of the others, at least one.</param>
    /// <param name="confidence">Above 0 and below 1.</param>
    /// <exception cref="ArgumentException">A side is empty.</exception>
    public static Interval Of(ReadOnlySpan<double> sought, ReadOnlySpan<double> others, double confidence = 0.95)
    {
        if (sought.IsEmpty || others.IsEmpty)
            throw new ArgumentException("Both kinds are needed.");
        double auc = Placements(sought, others).Average(), z = Normal.Deviate(confidence), m = sought.Length, n = others.Length;
        return new Interval(Bound(0, auc), auc, Bound(1, auc));

        double Bound(double far, double near)
        {
            // The farthest value on this side that still reaches the observed one.
            for (int i = 0; i < 60; i++)
            {
                double middle = (far + near) / 2;
                if (Math.Abs(middle - auc) <= z * Deviation(middle))
                    near = middle;
                else
                    far = middle;
            }
            return near;
        }

        double Deviation(double a)
        {
            double mean = (m + n) / 2 - 1;
            return Math.Sqrt(a * (1 - a) * (1 + mean * (1 - a) / (2 - a) + mean * a / (1 + a)) / (m * n));
        }
    }

    /// <summary>
    /// The area by a second set of numbers less the area by a first, of the same things. The interval joins both areas' own by their correlation
    /// (G. Zou, Psychological Methods 12, 2007; the correlation by E. DeLong, D. DeLong and D. Clarke-Pearson, Biometrics 44, 1988).
    /// </summary>
    /// <exception cref="ArgumentException">A side is empty, or the numbers are not of as many things.</exception>
    public static Interval Difference(
        ReadOnlySpan<double> firstSought, ReadOnlySpan<double> firstOthers, ReadOnlySpan<double> secondSought, ReadOnlySpan<double> secondOthers, double confidence = 0.95)
    {
        if (firstSought.Length != secondSought.Length || firstOthers.Length != secondOthers.Length)
            throw new ArgumentException("Both sets of numbers must be of the same things.");
        Interval first = Of(firstSought, firstOthers, confidence), second = Of(secondSought, secondOthers, confidence);
        double correlation = Correlation(
            Placements(firstSought, firstOthers), Placements(firstOthers, firstSought), Placements(secondSought, secondOthers), Placements(secondOthers, secondSought));
        double difference = second.Estimate - first.Estimate;
        return new Interval(
            difference - Reach(second.Estimate - second.Lower, first.Upper - first.Estimate, correlation),
            difference,
            difference + Reach(second.Upper - second.Estimate, first.Estimate - first.Lower, correlation));
    }

    private static double Reach(double one, double other, double correlation) => Math.Sqrt(Math.Max(0, one * one + other * other - 2 * correlation * one * other));

    // Of two areas; none is assumed where one has no spread to correlate.
    private static double Correlation(double[] firstSought, double[] firstOthers, double[] secondSought, double[] secondOthers)
    {
        double Covariance(double[] sought, double[] others, double[] withSought, double[] withOthers) => Joint(sought, withSought) / sought.Length + Joint(others, withOthers) / others.Length;
        double first = Covariance(firstSought, firstOthers, firstSought, firstOthers), second = Covariance(secondSought, secondOthers, secondSought, secondOthers);
        return first > 0 && second > 0 ? Math.Clamp(Covariance(firstSought, firstOthers, secondSought, secondOthers) / Math.Sqrt(first * second), -1, 1) : 0;
    }

    private static double Joint(double[] one, double[] other)
    {
        double oneMean = one.Average(), otherMean = other.Average(), sum = 0;
        for (int i = 0; i < one.Length; i++)
            sum += (one[i] - oneMean) * (other[i] - otherMean);
        return sum / Math.Max(1, one.Length - 1);
    }

    // For each number the share of the others that it is above.
    private static double[] Placements(ReadOnlySpan<double> numbers, ReadOnlySpan<double> others)
    {
        double[] placements = new double[numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
        {
            double above = 0;
            foreach (double other in others)
                above += numbers[i] > other ? 1 : numbers[i] == other ? 0.5 : 0;
            placements[i] = above / others.Length;
        }
        return placements;
    }
}
