namespace Cloister.Onnx.Model;

/// <summary>Reads and writes ONNX models (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).</summary>
public static class OnnxModel
{
    /// <summary>Reads a model from a copy of the given bytes.</summary>
    /// <exception cref="OnnxModelException">The bytes are not an ONNX model.</exception>
    public static ModelProto Parse(ReadOnlySpan<byte> bytes) => Parse(bytes.ToArray().AsMemory());

    /// <summary>Reads a model without copying: the weights are slices of <paramref name="bytes"/>, which must not change while the model is used.</summary>
    /// <exception cref="OnnxModelException">The bytes are not an ONNX model.</exception>
    public static ModelProto Parse(ReadOnlyMemory<byte> bytes, OnnxModelLimits? limits = null) =>
        ModelProto.Read(new ProtoReader(bytes, limits ?? OnnxModelLimits.Default));

    /// <summary>Every tensor whose elements lie in another file: the initialisers of the graph and of its subgraphs, and tensors in attributes.</summary>
    /// <exception cref="OnnxModelException"><see cref="OnnxModelError.BadExternalData"/>, or a shape or type that gives no length.</exception>
    public static IReadOnlyList<ExternalInitializer> ExternalInitializers(ModelProto model)
    {
        var found = new List<ExternalInitializer>();
        Collect(model.Graph, found);
        return found;
    }

    /// <summary>For fuzzing: reads anything, and whatever was accepted must survive being written and read again.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            ModelProto model = Parse(bytes);
            if (!model.ToBytes().AsSpan().SequenceEqual(bytes))
                throw new InvalidOperationException("An unchanged model was written differently.");
            byte[] canonical = Write(model, useOrigins: false);
            if (!Write(Parse(canonical), useOrigins: false).AsSpan().SequenceEqual(canonical))
                throw new InvalidOperationException("A model written in field order reads back differently.");
            ExternalInitializers(model);
        }
        catch (OnnxModelException)
        {
            // The documented refusal.
        }
    }

    internal static byte[] Write(ModelProto model, bool useOrigins)
    {
        try
        {
            return ProtoWriter.Serialize(model, useOrigins);
        }
        catch (OverflowException)
        {
            throw new OnnxModelException(OnnxModelError.TooLarge, "The model is larger than 2 GiB; move its weights to external data.");
        }
    }

    private static void Collect(GraphProto graph, List<ExternalInitializer> found)
    {
        foreach (TensorProto tensor in graph.Initializers)
            Collect(tensor, found);
        foreach (AttributeProto attribute in graph.Nodes.SelectMany(node => node.Attributes))
        {
            if (attribute.Tensor is not null)
                Collect(attribute.Tensor, found);
            foreach (TensorProto tensor in attribute.Tensors)
                Collect(tensor, found);
            if (attribute.Graph is not null)
                Collect(attribute.Graph, found);
            foreach (GraphProto inner in attribute.Graphs)
                Collect(inner, found);
        }
    }

    private static void Collect(TensorProto tensor, List<ExternalInitializer> found)
    {
        if (tensor.IsExternal)
            found.Add(ExternalInitializer.From(tensor));
    }
}
