using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed;

/// <summary>Values that a graph holds as they are.</summary>
internal static class ModelConstants
{
    /// <summary>Initialisers and values of Constant nodes, by the name of the value.</summary>
    public static Dictionary<string, TensorProto> Of(GraphProto graph)
    {
        Dictionary<string, TensorProto> known = [];
        foreach (TensorProto tensor in graph.Initializers)
            known[tensor.Name] = tensor;
        foreach (NodeProto node in graph.Nodes.Where(node => node is { OpType: "Constant", Domain: "" or "ai.onnx", Outputs.Length: 1 }))
            if (Value(node) is { } tensor)
                known[node.Outputs[0]] = tensor;
        return known;
    }

    private static TensorProto? Value(NodeProto constant) => constant.Attributes is not [var one, ..] ? null : one switch
    {
        { Name: "value" } => one.Tensor,
        { Name: "value_int", Int: { } number } => TensorProto.Of("", [], [number]),
        { Name: "value_ints" } => TensorProto.Of("", [one.Ints.Length], one.Ints.AsSpan()),
        { Name: "value_float", Float: { } number } => TensorProto.Of("", [], [number]),
        { Name: "value_floats" } => TensorProto.Of("", [one.Floats.Length], one.Floats.AsSpan()),
        _ => null,
    };

    /// <summary>The elements of an int64 tensor, or null where it is none, or malformed.</summary>
    public static long[]? Integers(TensorProto? tensor)
    {
        if (tensor is not { DataType: TensorDataType.Int64, IsExternal: false })
            return null;
        long[] values = tensor.RawData is { } raw
            ? [.. Enumerable.Range(0, raw.Length / sizeof(long)).Select(i => System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(raw.Span[(i * sizeof(long))..]))]
            : [.. tensor.Int64Data];
        return values.Length == tensor.ElementCount() ? values : null;
    }
}
