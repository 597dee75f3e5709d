using System.Collections.Immutable;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Heuristic;

/// <summary>
/// The paper's score of one cut (arXiv 1807.00969), and beside it what the same arithmetic says of pictures that have nothing to do with
/// the feature maps. A heuristic: its threshold passes cuts from which the picture can be rebuilt, and fails cuts for reasons of chance.
/// </summary>
public sealed record HeuristicScore
{
    /// <summary>What the score is not, for every report that shows it.</summary>
    public const string Warning =
        "A heuristic: delta of 1 and more, safe by the paper, does not mean that the picture cannot be rebuilt. The reconstruction attack is the verdict.";

    /// <summary>Names of the tensors that cross the cut.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>What the second classifier's output says of its classes.</summary>
    public required AnswerForm OracleForm { get; init; }

    /// <summary>Classes that the second classifier knows.</summary>
    public required int OracleClasses { get; init; }

    /// <summary>Feature maps that cross the cut.</summary>
    public required int Maps { get; init; }

    /// <summary>Feature maps that were looked at, the same for every picture.</summary>
    public required int MapsUsed { get; init; }

    /// <summary>The share of looked-at maps that had one value only and were drawn black.</summary>
    public required double ConstantMaps { get; init; }

    /// <summary>Pictures left out, because the second classifier's answer to them is the uniform guess.</summary>
    public required int LeftOut { get; init; }

    /// <summary>The pictures that count.</summary>
    public required ImmutableArray<HeuristicPicture> Pictures { get; init; }

    /// <summary>delta over the pictures.</summary>
    public required DeltaQuantiles Delta { get; init; }

    /// <summary>delta over all pairs of a picture and another picture's maps: what chance looks like.</summary>
    public required DeltaQuantiles Null { get; init; }

    /// <summary>The share of pictures whose delta is 1 or more: safe by the paper.</summary>
    public required Interval Safe { get; init; }

    /// <summary>The share of pairs of the null whose delta is 1 or more: how much of <see cref="Safe"/> maps of an unrelated picture get.</summary>
    public required double NullSafe { get; init; }

    /// <summary>The share of pictures whose own maps fit them best of all maps.</summary>
    public required Interval OwnFirst { get; init; }

    /// <summary><see cref="OwnFirst"/> by chance: one over the pictures.</summary>
    public required double OwnFirstChance { get; init; }

    /// <summary>The share of pictures whose delta is among the lowest twentieth of what all pictures' maps give for them.</summary>
    public required Interval OwnInLowest { get; init; }

    /// <summary><see cref="OwnInLowest"/> by chance; 0.05 up to whole pictures, at least one.</summary>
    public required double OwnInLowestChance { get; init; }

    /// <summary>Whether every picture's delta is 1 or more: the paper's rule in its strict reading.</summary>
    public bool SafeByPaper => Delta.Least >= 1;

    /// <summary>Whether half of the pictures have a delta of 1 or more: the loosest reading in use.</summary>
    public bool SafeByMedian => Delta.Median >= 1;

    /// <summary>
    /// 1 less what the maps tell of their picture beyond chance, from the upper bound of <see cref="OwnFirst"/>: 0 to 1. By the null, not by
    /// the threshold, which means nothing by itself; still a heuristic, and never enough alone.
    /// </summary>
    public double Protection => 1 - Math.Clamp((OwnFirst.Upper - OwnFirstChance) / (1 - OwnFirstChance), 0, 1);
}
