namespace Cloister.Homomorphic.Models;

/// <summary>Scores that are sums over decision trees: single trees, random forests (leaves hold probabilities already divided by the number of trees) and gradient boosting.</summary>
public sealed record Forest : PlainModel
{
    /// <summary>The trees.</summary>
    public required IReadOnlyList<DecisionTree> Trees { get; init; }

    /// <summary>What is added to every score.</summary>
    public required IReadOnlyList<double> BaseScores { get; init; }

    /// <inheritdoc/>
    public override int Scores => BaseScores.Count;

    /// <inheritdoc/>
    public override void Score(ReadOnlySpan<double> row, Span<double> scores)
    {
        for (int k = 0; k < scores.Length; k++) scores[k] = BaseScores[k];
        foreach (DecisionTree tree in Trees)
        {
            double[] values = tree.Leaf(row).Values!;
            for (int k = 0; k < scores.Length; k++) scores[k] += values[k];
        }
    }
}
