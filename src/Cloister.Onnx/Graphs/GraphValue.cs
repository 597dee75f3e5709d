using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>A value of a graph: an input, a weight, or what a node makes.</summary>
public sealed record GraphValue
{
    /// <summary>The place of a value that no node makes.</summary>
    public const int NoNode = -1;

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The type of its elements.</summary>
    public required TensorElementType Type { get; init; }

    /// <summary>Its shape for one item, the batch dimension as 1.</summary>
    public required ImmutableArray<long> Shape { get; init; }

    /// <summary>Its shape for two items, where the batch is free; else as <see cref="Shape"/>.</summary>
    internal ImmutableArray<long> ShapeOfTwo { get; init; } = [];

    /// <summary>Its shape as a model states it: dimensions that follow the batch are free, the others fixed.</summary>
    public required ImmutableArray<Dimension> Dimensions { get; init; }

    /// <summary>Whether its first dimension is the batch: one slice an item.</summary>
    public required bool BatchFirst { get; init; }

    /// <summary>The node that makes it, by its place in <see cref="ModelGraph.Nodes"/>; <see cref="NoNode"/> for inputs and weights.</summary>
    public required int Producer { get; init; }

    /// <summary>The nodes that read it, by their places in <see cref="ModelGraph.Nodes"/>, in order.</summary>
    public required ImmutableArray<int> Consumers { get; init; }

    /// <summary>
    /// Whether it depends on what an input of the model holds; what does not is the same in every run of as many items: constants, and what is
    /// computed of shapes.
    /// </summary>
    public required bool DependsOnInput { get; init; }

    /// <summary>Whether it is an output of the model.</summary>
    public required bool IsOutput { get; init; }

    /// <summary>Whether it is an input of the model, or one that was only moved about or changed value by value: it shows the input plainly.</summary>
    public required bool ShowsInput { get; init; }

    /// <summary>Elements of one item.</summary>
    public long Elements => Shape.Aggregate(1L, (product, dimension) => product * dimension);

    /// <summary>Bytes of one item; 0 for strings, whose length is not known before.</summary>
    public long Bytes => Type is TensorElementType.String or TensorElementType.Undefined ? 0 : Type.ByteLength(Elements);
}
