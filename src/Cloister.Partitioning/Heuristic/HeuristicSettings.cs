namespace Cloister.Partitioning.Heuristic;

/// <summary>How much the paper's method looks at. Cost: pictures * maps answers of the second classifier a cut.</summary>
public sealed record HeuristicSettings
{
    /// <summary>Chooses pictures and maps where there are more than the caps, and breaks ties.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Threads; each runs both models for itself.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>At most so many pictures are looked at, 2 or more.</summary>
    public int MaximumPictures { get; init; } = 16;

    /// <summary>At most so many feature maps a cut, the same for every picture. Fewer make the criterion look safer than it is.</summary>
    public int MaximumMaps { get; init; } = 40;

    /// <summary>The confidence of the intervals.</summary>
    public double Confidence { get; init; } = 0.95;
}
