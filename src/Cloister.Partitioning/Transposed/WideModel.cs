using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed;

/// <summary>A model of 16-bit floats as the same model of 32-bit floats: its weights are exact, its sums a little better.</summary>
internal static class WideModel
{
    /// <summary>The model with every float16 as a float; itself where there is none. Initialisers are no longer inputs (as before IR version 4).</summary>
    public static ModelProto Of(ModelProto model)
    {
        GraphProto graph = model.Graph;
        HashSet<string> weights = [.. graph.Initializers.Select(tensor => tensor.Name)];
        return model with
        {
            IrVersion = Math.Max(model.IrVersion, 8),
            Graph = graph with
            {
                Initializers = [.. graph.Initializers.Select(Wide)],
                Inputs = [.. graph.Inputs.Where(input => !weights.Contains(input.Name)).Select(Wide)],
                Outputs = [.. graph.Outputs.Select(Wide)],
                ValueInfo = [],
                Nodes = [.. graph.Nodes.Select(Wide)],
            },
        };
    }

    /// <summary>The elements of a tensor of floats or halves.</summary>
    /// <exception cref="OnnxModelException">Another element type, external data, or not as many elements as the shape asks for.</exception>
    public static float[] Floats(TensorProto tensor) => Wide(tensor).ToFloats();

    private static TensorProto Wide(TensorProto tensor)
    {
        if (tensor.DataType != TensorDataType.Float16 || tensor.IsExternal)
            return tensor;
        float[] values = tensor.RawData is { } raw
            ? [.. Enumerable.Range(0, raw.Length / 2).Select(i => (float)System.Buffers.Binary.BinaryPrimitives.ReadHalfLittleEndian(raw.Span[(2 * i)..]))]
            : [.. tensor.Int32Data.Select(bits => (float)BitConverter.UInt16BitsToHalf((ushort)bits))];
        if (values.Length != tensor.ElementCount())
            throw new OnnxModelException(OnnxModelError.WrongDataLength, $"Tensor '{tensor.Name}' needs {tensor.ElementCount()} elements and holds {values.Length}.");
        return TensorProto.Of(tensor.Name, tensor.Dims.AsSpan(), values);
    }

    private static ValueInfoProto Wide(ValueInfoProto value) =>
        value.Type?.TensorType is { ElementType: TensorDataType.Float16 } type
            ? value with { Type = value.Type with { TensorType = type with { ElementType = TensorDataType.Float } } }
            : value;

    private static NodeProto Wide(NodeProto node) => node.Attributes.Any(Narrow) ? node with { Attributes = [.. node.Attributes.Select(Wide)] } : node;

    private static bool Narrow(AttributeProto attribute) =>
        attribute.Tensor?.DataType == TensorDataType.Float16 || attribute is { Name: "to" or "dtype", Int: (long)TensorDataType.Float16 };

    private static AttributeProto Wide(AttributeProto attribute) => !Narrow(attribute)
        ? attribute
        : attribute.Tensor is { } tensor ? attribute with { Tensor = Wide(tensor) } : attribute with { Int = (long)TensorDataType.Float };
}
