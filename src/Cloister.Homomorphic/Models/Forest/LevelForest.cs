namespace Cloister.Homomorphic.Models;

/// <summary>A forest over levels, with integers for values: what the circuit computes, and here in the clear.</summary>
/// <param name="Levels">How every feature becomes a level.</param>
/// <param name="Parts">Trees by the score they have values for; one part with all trees where they have values for several.</param>
/// <param name="Offsets">What is added to every score.</param>
internal sealed record LevelForest(IReadOnlyList<FeatureLevels> Levels, IReadOnlyList<IReadOnlyList<LevelTree>> Parts, int[] Offsets)
{
    /// <summary>Whether leaves have a value for every score.</summary>
    internal bool Shared => Parts.Count < Offsets.Length;

    /// <summary>How many values a leaf has.</summary>
    internal int Values => Shared ? Offsets.Length : 1;

    /// <summary>The scores of a row as integers.</summary>
    internal int[] Score(ReadOnlySpan<double> row)
    {
        var levels = new int[Levels.Count];
        for (int f = 0; f < levels.Length; f++) levels[f] = Levels[f].Level(row[f]) ?? throw new HomomorphicException(HomomorphicError.FeatureNotFinite, $"Feature {f} is absent; the model needs a number.");
        int[] scores = [.. Offsets];
        for (int part = 0; part < Parts.Count; part++)
        {
            foreach (LevelTree tree in Parts[part])
            {
                int[] values = tree.Leaf(levels).Values;
                for (int k = 0; k < values.Length; k++) scores[Shared ? k : part] += values[k];
            }
        }
        return scores;
    }
}
