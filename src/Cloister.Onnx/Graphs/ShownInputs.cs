using System.Collections.Frozen;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Which values are an input in another dress. Whoever has one has the input: it is moved, cast, scaled, made smaller, or changed value by
/// value, or stands beside other things.
/// </summary>
internal static class ShownInputs
{
    /// <summary>Their first input is what they pass on, the others say how.</summary>
    private static readonly FrozenSet<string> PassFirst = OperatorNames.Set(
        "Identity Reshape Transpose Cast CastLike Flatten Squeeze Unsqueeze ExpandDims Slice DynamicSlice Crop CenterCropPad Pad DepthToSpace SpaceToDepth",
        "Dropout Split Tile Expand Gather GatherElements GatherND ReverseSequence Trilu Resize Upsample GridSample Col2Im CropAndResize Compress",
        "QuantizeLinear DequantizeLinear DynamicQuantizeLinear BatchNormalization InstanceNormalization GroupNormalization LayerNormalization",
        "SimplifiedLayerNormalization RMSNormalization MeanVarianceNormalization LpNormalization Affine ImageScaler Scaler Normalizer Imputer",
        "Abs Acos Acosh Asin Asinh Atan Atanh BitShift BitwiseNot Ceil Celu Clip Cos Cosh Elu Erf Exp FastGelu Floor Gelu HardSigmoid HardSwish",
        "LeakyRelu Log Mish Neg Not PRelu ParametricSoftplus QuickGelu Reciprocal Relu Round ScaledTanh Selu Shrink Sigmoid Sin Sinh",
        "Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu QLinearSigmoid QLinearLeakyRelu LabelEncoder CategoryMapper StringNormalizer OneHot",
        "OneHotEncoder ArrayFeatureExtractor BitCast LRN Softmax LogSoftmax QLinearSoftmax CumSum DFT TopK Sign Inverse BiasGelu");

    /// <summary>What they make shows the input if all that varies does: arithmetic of an input with constants or with itself.</summary>
    private static readonly FrozenSet<string> PassAll = OperatorNames.Set(
        "Add Sub Mul Div Pow Min Max Mean Sum Mod BitwiseAnd BitwiseOr BitwiseXor QLinearAdd QLinearMul Where StringConcat",
        "Greater GreaterOrEqual Less LessOrEqual Equal And Or Xor IsInf IsNaN");

    /// <summary>They put values side by side: one input among them is enough.</summary>
    private static readonly FrozenSet<string> PassAny = OperatorNames.Set("Concat QLinearConcat FeatureVectorizer Scatter ScatterElements ScatterND TensorScatter");

    /// <summary>Arithmetic that a few numbers for all of an input do not hide it by: its own mean taken off, its own deviation divided by.</summary>
    private static readonly FrozenSet<string> PassScaled = OperatorNames.Set("Add Sub Mul Div QLinearAdd QLinearMul");

    /// <summary>They make an input smaller: a picture of fewer points, unless little is left.</summary>
    private static readonly FrozenSet<string> PassSmaller = OperatorNames.Set("AveragePool MaxPool LpPool QLinearAveragePool NhwcMaxPool");

    /// <summary>One number for so many of the input's, or more, is few.</summary>
    private const int Few = 16;

    /// <summary>An input made smaller by more than this shows too little to be called it.</summary>
    private const int Little = 64;

    public static HashSet<string> Find(GraphStructure structure, MeasuredValues measured)
    {
        var shown = structure.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        for (int i = 0; i < structure.Model.Graph.Nodes.Length; i++)
        {
            NodeProto node = structure.Model.Graph.Nodes[i];
            if (structure.NodeDepends[i] && Passes(node, structure, measured, shown))
                shown.UnionWith(node.Outputs.Where(output => output.Length > 0));
        }
        return shown;
    }

    private static bool Passes(NodeProto node, GraphStructure structure, MeasuredValues measured, HashSet<string> shown)
    {
        if (PassFirst.Contains(node.OpType))
            return node.Inputs is [var first, ..] && shown.Contains(first);
        if (PassSmaller.Contains(node.OpType))
            return node is { Inputs: [var whole, ..], Outputs: [{ Length: > 0 } part, ..] } && shown.Contains(whole) && Elements(part) * Little >= Elements(whole);
        if (PassAny.Contains(node.OpType))
            return node.Inputs.Any(shown.Contains);
        if (node is { OpType: "Where", Inputs: [_, var one, var other] })
            return shown.Contains(one) || shown.Contains(other) || shown.Contains(node.Inputs[0]) && !structure.Depends(one) && !structure.Depends(other);
        if (!PassAll.Contains(node.OpType) || !node.Inputs.Any(shown.Contains))
            return false;
        long most = PassScaled.Contains(node.OpType) ? node.Inputs.Where(shown.Contains).Max(Elements) / Few : 0;
        return node.Inputs.All(input => !structure.Depends(input) || shown.Contains(input) || Elements(input) <= most);

        long Elements(string name) => measured.Values[name].One.Aggregate(1L, (product, size) => product * size);
    }
}
