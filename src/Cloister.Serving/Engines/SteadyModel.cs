using System.Collections.Frozen;
using Cloister.Onnx.Model;

namespace Cloister.Serving.Engines;

/// <summary>
/// Finds models whose running time cannot depend on the values of a request: every dimension is fixed, but for the number of items in
/// front, and every operator's work follows from its inputs' shapes. No loop, no branch, nothing whose output a value could enlarge.
/// All requests of one item then take the same time.
/// </summary>
internal static class SteadyModel
{
    private static readonly FrozenSet<string> Operators = FrozenSet.Create(StringComparer.Ordinal,
        "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Constant", "Conv", "ConvTranspose",
        "DequantizeLinear", "Div", "Dropout", "Elu", "Equal", "Erf", "Exp", "Flatten", "Floor", "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool",
        "Greater", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu", "Less", "Log", "LogSoftmax",
        "MatMul", "Max", "MaxPool", "Mean", "Min", "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "ReduceMax",
        "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape", "Round", "Selu", "Shape", "Sigmoid", "Sin", "Cos", "Slice", "Softmax", "Split", "Sqrt",
        "Squeeze", "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze", "Where");

    /// <summary>Whether the model is one.</summary>
    public static bool Is(ModelProto model) =>
        model.UnknownFields.IsEmpty // where a model's own functions would stand
        && model.Graph.Inputs.Concat(model.Graph.Outputs).All(IsFixed)
        && model.Graph.Nodes.All(node => node.Domain.Length == 0 && Operators.Contains(node.OpType) && node.Attributes.All(attribute => attribute.Graph is null && attribute.Graphs.IsEmpty));

    private static bool IsFixed(ValueInfoProto value) =>
        value.Type?.TensorType?.Shape is { } shape && shape.Dimensions.Skip(1).All(dimension => dimension.Value > 0);
}
