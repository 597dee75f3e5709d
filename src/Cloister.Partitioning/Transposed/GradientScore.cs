using System.Collections.Immutable;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Transposed;

/// <summary>
/// What somebody who knows FrontNet rebuilds of pictures from the tensors of a cut, beside what the mean picture alone gives. A lower bound:
/// longer searches and pictures' priors that were trained on a GPU find more, never less.
/// </summary>
public sealed record GradientScore
{
    /// <summary>What the score is not, for every report that shows it.</summary>
    public const string Warning =
        "A lower bound: a plain search on a processor, without a trained prior. That it finds little does not mean that little is there.";

    /// <summary>The tensors of the cut.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>Steps of a search.</summary>
    public required int Iterations { get; init; }

    /// <summary>Searches a picture.</summary>
    public required int Restarts { get; init; }

    /// <summary>What roughness weighed.</summary>
    public required double TotalVariation { get; init; }

    /// <summary>Pictures that were searched for.</summary>
    public required int Pictures { get; init; }

    /// <summary>Pictures among which each was to be recognised.</summary>
    public required int Candidates { get; init; }

    /// <summary>The share of the features' distance from the mean picture's that is left at the end: near 0 where the search found features, whatever the picture.</summary>
    public required Interval DistanceLeft { get; init; }

    /// <summary>Mean peak signal-to-noise ratio of the reconstructions, in decibels.</summary>
    public required Interval Psnr { get; init; }

    /// <summary>Mean structural similarity of the reconstructions, at most 1.</summary>
    public required Interval Ssim { get; init; }

    /// <summary>The share of pictures whose reconstruction is nearer to its own original than to any other.</summary>
    public required Interval ReIdentification { get; init; }

    /// <summary><see cref="Psnr"/> of the mean picture.</summary>
    public required Interval BaselinePsnr { get; init; }

    /// <summary><see cref="Ssim"/> of the mean picture.</summary>
    public required Interval BaselineSsim { get; init; }

    /// <summary><see cref="ReIdentification"/> by the mean picture, which says nothing: 0.</summary>
    public required Interval BaselineReIdentification { get; init; }

    /// <summary>By how many decibels a reconstruction is better than the mean picture, picture by picture.</summary>
    public required Interval PsnrGain { get; init; }

    /// <summary>The share of re-identified pictures that guessing gives: one in as many as there are to choose from.</summary>
    public required double Chance { get; init; }

    /// <summary>Some pictures and what was rebuilt of them.</summary>
    public required ImmutableArray<ReconstructedPicture> Shown { get; init; }

    /// <summary>Whether more pictures are re-identified than chance explains.</summary>
    public bool Leaks => ReIdentification.Lower > Chance;

    /// <summary>1 where no more than chance can be re-identified, 0 where everything may be: by the interval's upper bound.</summary>
    public double Protection => Math.Clamp(1 - (ReIdentification.Upper - Chance) / (1 - Chance), 0, 1);
}
