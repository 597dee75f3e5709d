using System.Collections.Immutable;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// A place where a graph falls into a part before and a part after: every path from an input to an output crosses exactly these tensors,
/// and nothing else that depends on an input crosses.
/// </summary>
public sealed record Cut
{
    /// <summary>Names of the tensors that cross, in the graph's order; one, where the cut is a dominator.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>Shapes of the tensors for one item, the batch dimension as 1.</summary>
    public required ImmutableArray<ImmutableArray<long>> Shapes { get; init; }

    /// <summary>Nodes before the cut, without those that compute from constants only.</summary>
    public required int NodesBefore { get; init; }

    /// <summary>Multiply-accumulates of one item before the cut.</summary>
    public required long MacsBefore { get; init; }

    /// <summary>Multiply-accumulates of one item in the whole model.</summary>
    public required long MacsWhole { get; init; }

    /// <summary>Bytes of weights, as the model stores them, that the part before uses, alone or with the part after.</summary>
    public required long WeightBytesBefore { get; init; }

    /// <summary>Bytes of weights, as the model stores them, that the part after uses; whoever runs it has them.</summary>
    public required long WeightBytesAfter { get; init; }

    /// <summary>Bytes of one item that cross.</summary>
    public required long BoundaryBytes { get; init; }

    /// <summary>
    /// Whether the parts, run by ONNX Runtime at <see cref="Runtime.GraphOptimization.Basic"/> on a CPU, give the whole's bits. Not where a
    /// half-precision tensor crosses (the whole computes on in single precision, the cut rounds), nor between operators that ONNX Runtime
    /// folds into one (a convolution and its normalisation, for instance), nor in a graph where only a node that no output needs, or a shape
    /// that is read, keeps it from folding some; there they agree within rounding.
    /// </summary>
    public required bool KeepsBits { get; init; }

    /// <summary>The share of multiply-accumulates before the cut, 0 to 1.</summary>
    public double MacShareBefore => MacsWhole == 0 ? 0 : (double)MacsBefore / MacsWhole;
}
