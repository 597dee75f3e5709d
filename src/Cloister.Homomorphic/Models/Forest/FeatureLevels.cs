namespace Cloister.Homomorphic.Models;

/// <summary>How a feature becomes a level: the number of edges below it, or the last level where it is absent.</summary>
/// <param name="Edges">Ascending; fewer than there are levels.</param>
/// <param name="AbsentLevel">Where it may be absent.</param>
internal sealed record FeatureLevels(double[] Edges, int? AbsentLevel)
{
    /// <summary>All levels that a row can have.</summary>
    internal LevelSet All => LevelSet.Below(Edges.Length + 1) | (AbsentLevel is { } absent ? LevelSet.Of(absent) : default);

    /// <summary>The level of a number; null where it is absent and may not be.</summary>
    internal int? Level(double value)
    {
        if (double.IsNaN(value)) return AbsentLevel;
        int below = 0, above = Edges.Length; // edges before below are < value, edges from above on are not
        while (below < above)
        {
            int middle = (below + above) / 2;
            if (Edges[middle] < value) below = middle + 1;
            else above = middle;
        }
        return below;
    }
}
