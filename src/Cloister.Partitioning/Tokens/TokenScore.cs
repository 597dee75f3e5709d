using System.Collections.Immutable;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tokens;

/// <summary>What a linear decoder recovers of texts from the tensors of a cut. It is a lower bound.</summary>
public sealed record TokenScore
{
    /// <summary>The tensors of the cut.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>
    /// True where no tensor has a place for each token: only which tokens occur is recovered then, not where, and the figures are shares of
    /// a text's different tokens.
    /// </summary>
    public required bool BagOfWords { get; init; }

    /// <summary>What was fitted, in words.</summary>
    public required string Decoder { get; init; }

    /// <summary>Texts that were fitted.</summary>
    public required int FitTexts { get; init; }

    /// <summary>Other texts that were recovered.</summary>
    public required int TestTexts { get; init; }

    /// <summary>Tokens a text.</summary>
    public required int Length { get; init; }

    /// <summary>Tokens to choose from.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>The ridge that the held-out texts chose.</summary>
    public required double Lambda { get; init; }

    /// <summary>The share of tokens that were recovered: the verdict.</summary>
    public required Interval Accuracy { get; init; }

    /// <summary>The same for always guessing the most frequent token, or for a bag the most frequent ones, as many as a text has.</summary>
    public required Interval Baseline { get; init; }

    /// <summary>Some test texts and what was recovered of them.</summary>
    public required ImmutableArray<RecoveredText> Texts { get; init; }

    /// <summary>Tokens that were to be recovered, of all test texts together.</summary>
    public required int Tokens { get; init; }

    /// <summary>What guessing gives: <see cref="Baseline"/>, or where that had no luck at all, what any guess has among all tokens.</summary>
    public double Chance => Math.Max(Baseline.Estimate, Math.Min(1, (BagOfWords ? Length : 1.0) / Vocabulary));

    /// <summary>How often guessing recovers as many.</summary>
    public double ChanceOfAsMany => Proportion.ChanceOfAsMany(Recovered, Tokens, Chance);

    /// <summary>The verdict: more tokens are recovered than guessing explains, by the exact tail at one end of 95 % (decision 0179).</summary>
    public bool Leaks => ExceedsChance(0.95);

    /// <summary>1 where no more than guessing is recovered, 0 where everything may be: by the interval's upper bound.</summary>
    public double Protection => Chance >= 1 ? 0 : Math.Clamp(1 - (Accuracy.Upper - Chance) / (1 - Chance), 0, 1);

    internal bool ExceedsChance(double confidence) => Proportion.ExceedsChance(Recovered, Tokens, Chance, confidence);

    private int Recovered => (int)Math.Round(Accuracy.Estimate * Tokens);
}
