namespace Cloister.Homomorphic.Models;

/// <summary>A model of rows of numbers, in the clear: what a compiler reads, and what its result is compared with.</summary>
public abstract record PlainModel
{
    /// <summary>The names of the features, in the order of a row.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>The names of the classes; empty for a regression. Two classes may share one score, which is then the second one's.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>What becomes of the scores.</summary>
    public LinkFunction Link { get; init; }

    /// <summary>Of two classes with one score, the second is chosen where the score is greater than this.</summary>
    public double Threshold { get; init; }

    /// <summary>How many scores a row has.</summary>
    public abstract int Scores { get; }

    /// <summary>Computes the scores of a row, before the link.</summary>
    /// <param name="row">One number a feature; NaN where a feature is absent, for models that allow it.</param>
    /// <param name="scores">Receives <see cref="Scores"/> numbers.</param>
    public abstract void Score(ReadOnlySpan<double> row, Span<double> scores);
}
