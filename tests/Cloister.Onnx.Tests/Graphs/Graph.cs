using Cloister.Onnx.Model;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>Small models by hand: nodes as text, such as <c>"y = Relu(x)"</c>.</summary>
internal static class Graph
{
    public static ModelProto Of(ValueInfoProto[] inputs, string[] outputs, params NodeProto[] nodes) => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 17 }],
        Graph = new GraphProto { Name = "g", Nodes = [.. nodes], Inputs = [.. inputs], Outputs = [.. outputs.Select(name => new ValueInfoProto { Name = name })] },
    };

    public static ModelProto With(this ModelProto model, params TensorProto[] weights) =>
        model with { Graph = model.Graph with { Initializers = [.. model.Graph.Initializers, .. weights] } };

    /// <summary>A float input.</summary>
    public static ValueInfoProto Input(string name, params ReadOnlySpan<Dimension> shape) => ValueInfoProto.Tensor(name, TensorDataType.Float, shape);

    /// <summary>A node from <c>"a, b = Split(x, s)"</c>.</summary>
    public static NodeProto Node(string text, params ReadOnlySpan<AttributeProto> attributes)
    {
        string[] sides = text.Split(" = ");
        string[] call = sides[1].TrimEnd(')').Split('(');
        return new NodeProto
        {
            OpType = call[0],
            Inputs = call[1].Length == 0 ? [] : [.. call[1].Split(", ")],
            Outputs = [.. sides[0].Split(", ")],
            Attributes = [.. attributes],
        };
    }

    public static TensorProto Random(string name, int seed, params long[] shape)
    {
        var random = new Random(seed);
        float[] values = new float[shape.Aggregate(1L, (product, dimension) => product * dimension)];
        foreach (ref float value in values.AsSpan())
            value = random.NextSingle() - 0.3f;
        return TensorProto.Of(name, shape, values);
    }
}
