namespace Cloister.Partitioning.Statistics;

/// <summary>An estimate and the interval that holds the true value with the confidence it was made for.</summary>
/// <param name="Lower">The lower end.</param>
/// <param name="Estimate">The estimate itself.</param>
/// <param name="Upper">The upper end.</param>
public readonly record struct Interval(double Lower, double Estimate, double Upper)
{
    /// <summary>Whether a value lies in the interval, its ends included.</summary>
    public bool Contains(double value) => value >= Lower && value <= Upper;
}
