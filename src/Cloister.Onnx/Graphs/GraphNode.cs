using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>A node of a graph, measured.</summary>
public sealed record GraphNode
{
    /// <summary>Its place in <see cref="ModelGraph.Nodes"/>, which is the model's order.</summary>
    public required int Index { get; init; }

    /// <summary>The operator call.</summary>
    public required NodeProto Proto { get; init; }

    /// <summary>Whether what it makes depends on what an input of the model holds; what depends on the number of items alone does not.</summary>
    public required bool DependsOnInput { get; init; }

    /// <summary>Whether it tells the shape of a value that depends on an input, and nothing of what the value holds.</summary>
    public required bool TellsShape { get; init; }

    /// <summary>Whether an output of the model depends on it and it depends on an input: it lies on the way of data.</summary>
    public required bool OnTheWay { get; init; }

    /// <summary>Multiply-accumulates for one item; <see cref="ModelGraph.Macs"/> says what is counted.</summary>
    public required long Macs { get; init; }

    /// <summary>Bytes of the weights that it reads itself: initialisers, and the value of a Constant node.</summary>
    public required long WeightBytes { get; init; }
}
