namespace Cloister.Serving.Callers.Quotas;

/// <summary>A budget that refills steadily up to a most. Not safe for several threads: its meter locks.</summary>
internal struct TokenBucket
{
    private double _left;

    public TokenBucket(double most, double aSecond)
    {
        (Most, ASecond) = (most, aSecond);
        _left = most;
    }

    /// <summary>The budget after a long pause.</summary>
    public double Most { get; }

    /// <summary>What comes back in a second.</summary>
    public double ASecond { get; }

    public void Refill(TimeSpan passed) => _left = Math.Min(Most, _left + passed.TotalSeconds * ASecond);

    public readonly bool Has(double amount) => _left >= amount;

    public void Take(double amount) => _left -= amount;

    /// <summary>How long until there is an amount; null where there never is.</summary>
    public readonly TimeSpan? Until(double amount) => amount > Most ? null : TimeSpan.FromSeconds(Math.Min((amount - _left) / ASecond, TimeSpan.SecondsPerDay));
}
