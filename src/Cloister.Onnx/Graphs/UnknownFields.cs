using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Fields of onnx.proto that <see cref="Model"/> keeps without reading them, and that change what a model computes.</summary>
internal static class UnknownFields
{
    private const int ModelFunctions = 25, GraphSparseInitializers = 15, NodeOverload = 8, AttributeText = 13, AttributeSparseTensor = 22, AttributeSparseTensors = 23;

    public static bool HasFunctions(ModelProto model) => Has(model, ModelFunctions);

    public static bool HasSparseWeights(GraphProto graph) => Has(graph, GraphSparseInitializers);

    public static bool HasSparseWeights(NodeProto node) =>
        node.Attributes.Any(attribute => Has(attribute, AttributeSparseTensor) || Has(attribute, AttributeSparseTensors));

    public static bool HasOverload(NodeProto node) => Has(node, NodeOverload);

    /// <summary>An attribute's unknown fields, its values of kinds that are not read here, without its doc_string.</summary>
    public static ReadOnlyMemory<byte> WithoutText(AttributeProto attribute)
    {
        var reader = new ProtoReader(attribute.UnknownFields, OnnxModelLimits.Default);
        while (reader.Next(out int field))
        {
            if (field == AttributeText)
                reader.Bytes();
            else
                reader.KeepUnknown();
        }
        return reader.Unknown();
    }

    private static bool Has(OnnxMessage message, int wanted)
    {
        var reader = new ProtoReader(message.UnknownFields, OnnxModelLimits.Default);
        while (reader.Next(out int field))
        {
            if (field == wanted)
                return true;
            reader.KeepUnknown();
        }
        return false;
    }
}
