using Cloister.Onnx.Model;
using Cloister.Partitioning.Transposed;

namespace Cloister.Partitioning.Weights;

/// <summary>A model as it is compared: halves widened, constants among the initialisers, whichever way its tool wrote them.</summary>
internal static class PlainModel
{
    public static ModelProto Of(ModelProto model)
    {
        if (OnnxModel.ExternalInitializers(model) is [var missing, ..])
            throw new PartitioningException(PartitioningError.WeightsRefused, $"The weights '{missing.Name}' lie in another file; put them into the model first.");
        ModelProto wide = WideModel.Of(model);
        var nodes = wide.Graph.Nodes.ToLookup(node => node is { OpType: "Constant", Domain: "" or "ai.onnx", Attributes: [{ Name: "value", Tensor: not null }], Outputs: [{ Length: > 0 }] });
        ModelProto plain = wide with
        {
            Graph = wide.Graph with
            {
                Nodes = [.. nodes[false]],
                Initializers = [.. wide.Graph.Initializers, .. nodes[true].Select(node => node.Attributes[0].Tensor! with { Name = node.Outputs[0] })],
            },
        };
        return plain.Graph.Initializers.CountBy(tensor => tensor.Name).FirstOrDefault(named => named.Value > 1) is { Key: { } twice }
            ? throw new PartitioningException(PartitioningError.WeightsRefused, $"The weights '{twice}' are there twice; the model is malformed.")
            : plain;
    }

    /// <summary>Whether a tensor holds parameters rather than shapes and places.</summary>
    public static bool IsParameter(TensorProto tensor) =>
        tensor.DataType is TensorDataType.Float or TensorDataType.Double or TensorDataType.BFloat16 or TensorDataType.Int8 or TensorDataType.UInt8;
}
