using System.Collections.Frozen;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Which values are an input in another dress. Whoever has one has the input: it is moved, cast, scaled, or changed value by value,
/// or stands beside other things.
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
        "Add Sub Mul Div Pow Min Max Mean Sum Mod BitwiseAnd BitwiseOr BitwiseXor QLinearAdd QLinearMul Where StringConcat");

    /// <summary>They put values side by side: one input among them is enough.</summary>
    private static readonly FrozenSet<string> PassAny = OperatorNames.Set("Concat QLinearConcat FeatureVectorizer");

    public static HashSet<string> Find(GraphStructure structure)
    {
        var shown = structure.Inputs.Select(input => input.Name).ToHashSet(StringComparer.Ordinal);
        for (int i = 0; i < structure.Model.Graph.Nodes.Length; i++)
        {
            NodeProto node = structure.Model.Graph.Nodes[i];
            if (structure.NodeDepends[i] && Passes(node, structure, shown))
                shown.UnionWith(node.Outputs.Where(output => output.Length > 0));
        }
        return shown;
    }

    private static bool Passes(NodeProto node, GraphStructure structure, HashSet<string> shown)
    {
        if (PassFirst.Contains(node.OpType))
            return node.Inputs is [var first, ..] && shown.Contains(first);
        if (PassAny.Contains(node.OpType))
            return node.Inputs.Any(shown.Contains);
        return PassAll.Contains(node.OpType) && node.Inputs.All(input => !structure.Depends(input) || shown.Contains(input));
    }
}
