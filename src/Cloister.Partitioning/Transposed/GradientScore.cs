using System.Collections.Immutable;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Transposed;

/// <summary>
/// What somebody who knows FrontNet rebuilds of pictures from the tensors of a cut, beside what the mean picture alone gives. A lower bound:
/// longer searches and pictures' priors that were trained on a GPU find more, never less.
/// </summary>
public sealed record GradientScore : PictureScore
{
    /// <summary>What the score is not, for every report that shows it.</summary>
    public const string Warning =
        "A lower bound: a plain search on a processor, without a trained prior. That it finds little does not mean that little is there.";

    /// <summary>Steps of a search.</summary>
    public required int Iterations { get; init; }

    /// <summary>Searches a picture.</summary>
    public required int Restarts { get; init; }

    /// <summary>What roughness weighed.</summary>
    public required double TotalVariation { get; init; }

    /// <summary>Pictures that were searched for.</summary>
    public required int Pictures { get; init; }

    /// <inheritdoc/>
    public override int Tried => Pictures;

    /// <summary>Pictures among which each was to be recognised.</summary>
    public required int Candidates { get; init; }

    /// <summary>The share of the features' distance from the mean picture's that is left at the end: near 0 where the search found features, whatever the picture.</summary>
    public required Interval DistanceLeft { get; init; }

    /// <summary>Some pictures and what was rebuilt of them.</summary>
    public required ImmutableArray<ReconstructedPicture> Shown { get; init; }
}
