using System.Collections.Frozen;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>The operators that are known here, by domain: those of ONNX (docs/Operators.md, Operators-ml.md) and the ones that ONNX Runtime adds for CPUs.</summary>
internal static class OperatorNames
{
    public const string Ml = "ai.onnx.ml";
    public const string Microsoft = "com.microsoft";

    /// <summary>Operators whose run is not one pass over tensors: graphs inside, sequences, maps, optional values.</summary>
    private static readonly FrozenSet<string> NotOnePass = Set(
        "If Loop Scan SequenceMap SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SplitToSequence",
        "ConcatFromSequence Optional OptionalGetElement OptionalHasElement ZipMap CastMap DictVectorizer BeamSearch GreedySearch Sampling");

    private static readonly FrozenSet<string> Random = Set("RandomNormal RandomNormalLike RandomUniform RandomUniformLike Multinomial Bernoulli");

    private static readonly FrozenDictionary<string, FrozenSet<string>> Known = new Dictionary<string, FrozenSet<string>>
    {
        [""] = Set(
            "Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization Bernoulli BitCast BitShift",
            "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat Constant",
            "ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumProd CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout",
            "DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm",
            "GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid",
            "HardSwish Hardmax Identity ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log",
            "LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix",
            "Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Or PRelu Pad Pow QLinearConv",
            "QLinearMatMul QuantizeLinear RMSNormalization RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal",
            "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch",
            "Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scatter ScatterElements ScatterND Selu Shape Shrink Sigmoid",
            "Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split Sqrt Squeeze StringConcat",
            "StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique",
            "Unsqueeze Upsample Where Xor",
            // Once experimental, still run by ONNX Runtime.
            "Affine Crop DynamicSlice ImageScaler ParametricSoftplus ScaledTanh SimplifiedLayerNormalization"),
        [Ml] = Set(
            "ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer",
            "OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor"),
        [Microsoft] = Set(
            "Attention BiasGelu ConvTransposeWithDynamicPads CropAndResize DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul",
            "EmbedLayerNormalization ExpandDims FastGelu FusedConv FusedGemm FusedMatMul GatherND Gelu GroupQueryAttention Inverse MatMulInteger16",
            "MatMulIntegerToFloat MatMulNBits MaxpoolWithMask MultiHeadAttention NhwcMaxPool Pad QAttention QEmbedLayerNormalization QGemm",
            "QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean",
            "QLinearSigmoid QLinearSoftmax QLinearWhere QuantizeLinear QuickGelu RotaryEmbedding SkipLayerNormalization",
            "SkipSimplifiedLayerNormalization TransposeMatMul Trilu"),
    }.ToFrozenDictionary();

    /// <summary>The domain as this class keys it: ONNX's own has two names.</summary>
    public static string Domain(string domain) => domain == "ai.onnx" ? "" : domain;

    /// <summary>The domain as texts name it.</summary>
    public static string Shown(string domain) => domain.Length == 0 ? "ai.onnx" : domain;

    public static bool IsNotOnePass(string opType) => NotOnePass.Contains(opType);

    public static bool IsRandom(string opType) => Random.Contains(opType);

    /// <summary>Whether it tells how large a value is, and nothing of what it holds.</summary>
    public static bool IsMeasure(NodeProto node) => node is { OpType: "Shape" or "Size", Inputs.Length: 1 } && Domain(node.Domain).Length == 0;

    public static bool IsKnown(string domain, string opType) => Known.TryGetValue(Domain(domain), out FrozenSet<string>? names) && names.Contains(opType);

    internal static FrozenSet<string> Set(params ReadOnlySpan<string> lines)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in lines)
            names.UnionWith(line.Split(' '));
        return names.ToFrozenSet(StringComparer.Ordinal);
    }
}
