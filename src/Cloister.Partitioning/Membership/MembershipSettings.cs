namespace Cloister.Partitioning.Membership;

/// <summary>How training pictures are told from others.</summary>
public sealed record MembershipSettings
{
    /// <summary>The fewest pictures of each kind: half of them teach, half are told apart.</summary>
    public const int MinimumPictures = 20;

    /// <summary>Chooses numbers of tensors where there are more than the cap.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many threads may work; the score is the same for any number.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Means of maps that are looked at in all tensors that cross together, and in those that BackNet ends with.</summary>
    public int MaximumFeatures { get; init; } = 64;

    /// <summary>The confidence of the intervals.</summary>
    public double Confidence { get; init; } = 0.95;
}
