using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Tests.Transposed;

/// <summary>Small graphs of random weights, made node by node.</summary>
internal sealed class SmallGraph(int seed = 1, long opset = 13)
{
    private readonly Random _random = new(seed);
    private readonly List<NodeProto> _nodes = [];
    private readonly List<TensorProto> _weights = [];

    public string Last { get; private set; } = "x";

    public SmallGraph Then(string type, string[] inputs, params AttributeProto[] attributes)
    {
        Last = $"v{_nodes.Count}";
        _nodes.Add(new NodeProto { OpType = type, Name = Last, Inputs = [.. inputs], Outputs = [Last], Attributes = [.. attributes] });
        return this;
    }

    /// <summary>An operator of the last value and constants.</summary>
    public SmallGraph Then(string type, params AttributeProto[] attributes) => Then(type, [Last], attributes);

    public SmallGraph Outputs(params string[] names)
    {
        _nodes[^1] = _nodes[^1] with { Outputs = [.. names] };
        Last = names[0];
        return this;
    }

    public string Weight(double low, double high, params long[] shape) =>
        Constant(TensorProto.Of($"w{_weights.Count}", shape, Values(shape, low, high)));

    public string Weight(params long[] shape) => Weight(-1, 1, shape);

    public string Integers(params long[] values) => Constant(TensorProto.Of($"w{_weights.Count}", [values.Length], values));

    public string Floats(params float[] values) => Constant(TensorProto.Of($"w{_weights.Count}", [values.Length], values));

    /// <summary>Whole numbers from 0 up to, without, a limit.</summary>
    public string Places(long[] shape, int limit) =>
        Constant(TensorProto.Of($"w{_weights.Count}", shape, [.. Values(shape, 0, limit).Select(value => (long)value)]));

    public string Number(float value) => Constant(TensorProto.Of($"w{_weights.Count}", [], [value]));

    public ModelProto Build(long[] input, params string[] outputs) => new()
    {
        IrVersion = 7,
        OpsetImport = [new OperatorSetIdProto { Version = opset }],
        Graph = new GraphProto
        {
            Name = "small",
            Nodes = [.. _nodes],
            Initializers = [.. _weights],
            Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, [.. input.Select(Dimension.FromInt64)])],
            Outputs = [.. (outputs.Length == 0 ? [Last] : outputs).Select(name => new ValueInfoProto { Name = name })],
        },
    };

    public float[] Values(long[] shape, double low, double high) =>
        [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (product, side) => product * side)).Select(_ => (float)(low + (high - low) * _random.NextDouble()))];

    private string Constant(TensorProto tensor)
    {
        _weights.Add(tensor);
        return tensor.Name;
    }
}

internal static class SmallGraphs
{
    public static ModelProto With(this ModelProto model, TensorProto weight) =>
        model with { Graph = model.Graph with { Initializers = [.. model.Graph.Initializers, weight] } };
}
