using System.Collections.Immutable;

namespace Cloister.Partitioning.Labels;

/// <summary>
/// What an observer learns of the classes, whose order is hidden from it: from the model's output, and from each cut behind which the last
/// layers could run inside. A lower bound: better observers find more.
/// </summary>
public sealed record LabelScore
{
    /// <summary>Pictures without labels that the observer saw the model and the public models answer.</summary>
    public required int Pictures { get; init; }

    /// <summary>Classes of the model.</summary>
    public required int Classes { get; init; }

    /// <summary>Classes that are the model's first answer to one picture or more.</summary>
    public required int ActiveClasses { get; init; }

    /// <summary>Names of the public models.</summary>
    public required ImmutableArray<string> PublicModels { get; init; }

    /// <summary>The hidden order from correlations of columns and the best assignment; null where there is no public model.</summary>
    public required LabelMatch? ByCorrelation { get; init; }

    /// <summary>The hidden order from first answers alone: the name a public model gives most often where a column is greatest.</summary>
    public required LabelMatch? ByFirstAnswer { get; init; }

    /// <summary>What the output itself tells of single answers.</summary>
    public required LabelExposure Output { get; init; }

    /// <summary>What each tail cut tells of single answers, from input to output.</summary>
    public required ImmutableArray<LabelExposure> Tails { get; init; }

    /// <summary>The last tail cut at which nothing beyond chance is found; empty, where there is none.</summary>
    public ImmutableArray<string> RecommendedTail => Tails.LastOrDefault(tail => !tail.Found)?.Tensors ?? [];

    /// <summary>Whether the whole model's output, in a hidden order, tells more than chance.</summary>
    public bool OutputFound => Output.Found || ByCorrelation?.Found == true || ByFirstAnswer?.Found == true;

    /// <summary>The score "labels" of a signed report: without a tail from the output, with one from that tail cut; the worst attack counts.</summary>
    /// <param name="tail">Names of the tail cut's tensors; none, where the output itself crosses.</param>
    /// <exception cref="ArgumentException">That tail cut was not measured.</exception>
    public double Protection(IReadOnlyList<string>? tail = null)
    {
        if (tail is null or [])
            return Math.Min(Output.Protection, Math.Min(ByCorrelation?.Protection ?? 1, ByFirstAnswer?.Protection ?? 1));
        return (Tails.FirstOrDefault(measured => measured.Tensors.SequenceEqual(tail)) ?? throw new ArgumentException($"The tail cut [{string.Join(", ", tail)}] was not measured.", nameof(tail))).Protection;
    }
}
