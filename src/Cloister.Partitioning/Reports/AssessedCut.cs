using System.Collections.Immutable;

namespace Cloister.Partitioning.Reports;

/// <summary>What is said of a cut. There is no value for "safe": an attack that finds nothing proves nothing.</summary>
public enum CutVerdict
{
    /// <summary>No attack on pictures or texts could be run here.</summary>
    NotMeasured = 0,

    /// <summary>No attack that ran found more than chance gives.</summary>
    NotShownToLeak = 1,

    /// <summary>An attack found more than chance gives.</summary>
    Leaks = 2,

    /// <summary>A later cut leaks, and everything there is computed from the tensors here.</summary>
    LeaksThroughLater = 3,
}

/// <summary>A cut between the part inside and the part outside, and what was found there.</summary>
public sealed record AssessedCut
{
    /// <summary>The tensors that cross.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>Their shapes for one item.</summary>
    public required ImmutableArray<ImmutableArray<long>> Shapes { get; init; }

    /// <summary>The share of multiply-accumulates that stays inside, 0 to 1.</summary>
    public required double MacShareInside { get; init; }

    /// <summary>Bytes of weights inside.</summary>
    public required long WeightBytesInside { get; init; }

    /// <summary>Bytes of weights outside: given away.</summary>
    public required long WeightBytesOutside { get; init; }

    /// <summary>Bytes that cross for one item.</summary>
    public required long BoundaryBytes { get; init; }

    /// <summary>What is said of it.</summary>
    public required CutVerdict Verdict { get; init; }

    /// <summary>The same in words.</summary>
    public required string Words { get; init; }

    /// <summary>Scores of a model that is cut here and has no tail; the worst of this cut and those that are computed from it.</summary>
    public required ImmutableSortedDictionary<string, double> Protection { get; init; }

    /// <summary>What each attack came to where there is no tail.</summary>
    public required ImmutableArray<Finding> Findings { get; init; }

    /// <summary>For each tail that was tried: what came of the attacks that a tail makes a difference to.</summary>
    public required ImmutableArray<FoundWithTail> Tails { get; init; }

    /// <summary>What this attack came to where there is no tail, or null.</summary>
    public Finding? this[string attack] => Findings.FirstOrDefault(finding => finding.Attack == attack);
}

/// <summary>What came of attacks where the last layers run inside again.</summary>
/// <param name="Tensors">The tensors where the tail begins.</param>
/// <param name="Findings">A finding an attack that a tail makes a difference to.</param>
public sealed record FoundWithTail(ImmutableArray<string> Tensors, ImmutableArray<Finding> Findings);

/// <summary>How far the part outside goes, and whether the order of the classes can be told from what it ends in.</summary>
public sealed record AssessedTail
{
    /// <summary>The tensors where the tail, which runs inside, begins; empty where there is none and the part outside gives the answer.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>The share of multiply-accumulates in the tail, 0 to 1.</summary>
    public required double MacShareInside { get; init; }

    /// <summary>Bytes that come back for one item.</summary>
    public required long BoundaryBytes { get; init; }

    /// <summary>What the attack on the labels came to.</summary>
    public required Finding Labels { get; init; }
}
