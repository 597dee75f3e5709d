using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Models of a few nodes.</summary>
internal static class TinyModels
{
    public static readonly OrtSessionOptions Exact = new() { Level = GraphOptimization.Basic };

    /// <summary>y = x + x over [N,4].</summary>
    public static byte[] Twice(Dimension? rows = null) => Model([Float("x", rows ?? "N", 4)], [Float("y", rows ?? "N", 4)], [], Node("Add", ["x", "x"], "y"));

    /// <summary>y = the root of x over [N,4]: NaN where x is negative.</summary>
    public static byte[] Root() => Model([Float("x", "N", 4)], [Float("y", "N", 4)], [], Node("Sqrt", ["x"], "y"));

    /// <summary>y = table[i] over [N,2] of places: refused where a place is not in the table.</summary>
    public static byte[] Lookup() => Model(
        [ValueInfoProto.Tensor("i", TensorDataType.Int64, "N", 2)], [Float("y", "N", 2)], [TensorProto.Of("table", [5], [1f, 2, 3, 4, 5])], Node("Gather", ["table", "i"], "y"));

    /// <summary>y = x minus the mean of the batch: items touch each other.</summary>
    public static byte[] Mixing() => Model([Float("x", "N", 4)], [Float("y", "N", 4)], [],
        Node("ReduceMean", ["x"], "m", new AttributeProto { Name = "axes", Type = AttributeType.Ints, Ints = [0] }, AttributeProto.Of("keepdims", 1L)), Node("Sub", ["x", "m"], "y"));

    /// <summary>Two inputs of two types, two outputs of two shapes: p = a * w, q = b and its opposite.</summary>
    public static byte[] TwoByTwo() => Model(
        [Float("a", "N", 3), ValueInfoProto.Tensor("b", TensorDataType.Bool, "N", 5)], [ValueInfoProto.Tensor("q", TensorDataType.Bool, "N", 5), Float("p", "N", 2)],
        [TensorProto.Of("w", [3, 2], [1f, 2, 3, 4, 5, 6])], Node("MatMul", ["a", "w"], "p"), Node("Not", ["b"], "q"));

    /// <summary>y = x over [N,4], doubled for as long as nobody stops it.</summary>
    public static byte[] Endless()
    {
        var round = new GraphProto
        {
            Name = "round",
            Inputs = [ValueInfoProto.Tensor("i", TensorDataType.Int64), ValueInfoProto.Tensor("go", TensorDataType.Bool), Float("v", "N", 4)],
            Outputs = [ValueInfoProto.Tensor("on", TensorDataType.Bool), Float("w", "N", 4)],
            Nodes = [Node("Identity", ["go"], "on"), Node("Add", ["v", "v"], "w")],
        };
        return Model([Float("x", "N", 4)], [Float("y", "N", 4)], [TensorProto.Of("rounds", [], [long.MaxValue])],
            Node("Loop", ["rounds", "", "x"], "y", new AttributeProto { Name = "body", Type = AttributeType.Graph, Graph = round }));
    }

    public static BackNet Open(byte[] model) => BackNet.Open(model, null, Exact);

    public static OrtTensor Tensor(params float[] values) => OrtTensor.OverPinned(values.AsMemory(), [values.Length / 4, 4]);

    public static ModelProto Proto(ImmutableArray<ValueInfoProto> inputs, ImmutableArray<ValueInfoProto> outputs, ImmutableArray<TensorProto> weights, params ImmutableArray<NodeProto> nodes) => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto { Name = "tiny", Inputs = inputs, Outputs = outputs, Initializers = weights, Nodes = nodes },
    };

    private static byte[] Model(ImmutableArray<ValueInfoProto> inputs, ImmutableArray<ValueInfoProto> outputs, ImmutableArray<TensorProto> weights, params ImmutableArray<NodeProto> nodes) =>
        Proto(inputs, outputs, weights, nodes).ToBytes();

    private static ValueInfoProto Float(string name, params ReadOnlySpan<Dimension> shape) => ValueInfoProto.Tensor(name, TensorDataType.Float, shape);

    private static NodeProto Node(string op, ImmutableArray<string> inputs, string output, params ImmutableArray<AttributeProto> attributes) =>
        new() { OpType = op, Name = output, Inputs = inputs, Outputs = [output], Attributes = attributes };
}
