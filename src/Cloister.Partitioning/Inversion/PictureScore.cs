using System.Collections.Immutable;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// What an attack rebuilds of pictures from the tensors of a cut, beside what the mean picture alone gives, and whether that leaks. One rule
/// for every such attack, so that their verdicts can be compared.
/// </summary>
public abstract record PictureScore
{
    /// <summary>The tensors of the cut.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>Mean peak signal-to-noise ratio of the reconstructions, in decibels.</summary>
    public required Interval Psnr { get; init; }

    /// <summary>Mean structural similarity of the reconstructions, at most 1.</summary>
    public required Interval Ssim { get; init; }

    /// <summary>The share of pictures whose reconstruction is nearer to its own original than to any other: the verdict.</summary>
    public required Interval ReIdentification { get; init; }

    /// <summary><see cref="Psnr"/> of the mean picture.</summary>
    public required Interval BaselinePsnr { get; init; }

    /// <summary><see cref="Ssim"/> of the mean picture.</summary>
    public required Interval BaselineSsim { get; init; }

    /// <summary><see cref="ReIdentification"/> by the mean picture, which says nothing: 0.</summary>
    public required Interval BaselineReIdentification { get; init; }

    /// <summary>By how many decibels a reconstruction is better than the mean picture, picture by picture: the sharper comparison.</summary>
    public required Interval PsnrGain { get; init; }

    /// <summary>The share of re-identified pictures that guessing gives: one in as many as there are to choose from.</summary>
    public required double Chance { get; init; }

    /// <summary>Pictures that were to be re-identified.</summary>
    public abstract int Tried { get; }

    /// <summary>How often guessing re-identifies as many of them.</summary>
    public double ChanceOfAsMany => Proportion.ChanceOfAsMany(Found, Tried, Chance);

    /// <summary>The verdict: more pictures are re-identified than chance explains. It is made of <see cref="ChanceOfAsMany"/>, at one end of 95 % (decision 0179).</summary>
    public bool Leaks => Proportion.ExceedsChance(Found, Tried, Chance);

    /// <summary>1 where no more than chance can be re-identified, 0 where everything may be: by the interval's upper bound.</summary>
    public double Protection => Math.Clamp(1 - (ReIdentification.Upper - Chance) / (1 - Chance), 0, 1);

    private int Found => (int)Math.Round(ReIdentification.Estimate * Tried);
}
