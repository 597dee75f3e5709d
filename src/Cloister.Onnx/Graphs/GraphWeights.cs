using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Sizes of constants.</summary>
internal static class GraphWeights
{
    /// <exception cref="OnnxModelException">The tensor's type or shape gives no length.</exception>
    public static long Bytes(TensorProto tensor) => tensor.DataType == TensorDataType.String
        ? tensor.StringData.Sum(text => (long)text.Length)
        : TensorSize.Bytes(tensor.DataType, tensor.ElementCount(), tensor.Name);

    /// <summary>Bytes of the tensors that a node carries in its attributes, as Constant does.</summary>
    public static long ConstantBytes(NodeProto node) =>
        node.Attributes.Sum(attribute => (attribute.Tensor is { } tensor ? Bytes(tensor) : 0) + attribute.Tensors.Sum(Bytes));
}
