using System.Collections.Frozen;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Reads a node's upstream gradients from the tape and gives its inputs theirs.</summary>
internal delegate void GradientRule(GradientTape tape, NodeProto node);

/// <summary>Which operator's gradient is written by which rule.</summary>
internal static class RuleBook
{
    private static readonly FrozenDictionary<string, GradientRule> Rules = new Dictionary<string, GradientRule>
    {
        ["Relu"] = ActivationRules.Relu,
        ["LeakyRelu"] = ActivationRules.LeakyRelu,
        ["PRelu"] = ActivationRules.PRelu,
        ["Elu"] = ActivationRules.Elu,
        ["Clip"] = ActivationRules.Clip,
        ["Sigmoid"] = ActivationRules.Sigmoid,
        ["HardSigmoid"] = ActivationRules.HardSigmoid,
        ["HardSwish"] = ActivationRules.HardSwish,
        ["Tanh"] = ActivationRules.Tanh,
        ["Exp"] = ActivationRules.Exp,
        ["Sqrt"] = ActivationRules.Sqrt,
        ["Erf"] = ActivationRules.Erf,
        ["Log"] = ActivationRules.Log,
        ["Abs"] = ActivationRules.Abs,
        ["Sin"] = ActivationRules.Sin,
        ["Cos"] = ActivationRules.Cos,
        ["Reciprocal"] = ActivationRules.Reciprocal,
        ["Softplus"] = ActivationRules.Softplus,
        ["Softsign"] = ActivationRules.Softsign,
        ["ThresholdedRelu"] = ActivationRules.ThresholdedRelu,
        ["Selu"] = ActivationRules.Selu,
        ["Celu"] = ActivationRules.Celu,
        ["Mish"] = ActivationRules.Mish,
        ["Gelu"] = ActivationRules.Gelu,
        ["Add"] = ArithmeticRules.Add,
        ["Sum"] = ArithmeticRules.Add,
        ["Sub"] = ArithmeticRules.Sub,
        ["Mul"] = ArithmeticRules.Mul,
        ["Div"] = ArithmeticRules.Div,
        ["Neg"] = ArithmeticRules.Neg,
        ["Mean"] = ArithmeticRules.Mean,
        ["Pow"] = ArithmeticRules.Pow,
        ["Max"] = ArithmeticRules.Extreme,
        ["Min"] = ArithmeticRules.Extreme,
        ["Where"] = ArithmeticRules.Where,
        ["Identity"] = LayoutRules.Same,
        ["Cast"] = LayoutRules.Same,
        ["Reshape"] = LayoutRules.Reshape,
        ["Flatten"] = LayoutRules.Reshape,
        ["Squeeze"] = LayoutRules.Reshape,
        ["Unsqueeze"] = LayoutRules.Reshape,
        ["Transpose"] = LayoutRules.Transpose,
        ["Concat"] = LayoutRules.Concat,
        ["Pad"] = LayoutRules.Pad,
        ["Slice"] = LayoutRules.Moved,
        ["Split"] = LayoutRules.Moved,
        ["Gather"] = LayoutRules.Moved,
        ["Expand"] = LayoutRules.Moved,
        ["Tile"] = LayoutRules.Moved,
        ["GatherElements"] = LayoutRules.Moved,
        ["GatherND"] = LayoutRules.Moved,
        ["DepthToSpace"] = LayoutRules.DepthToSpace,
        ["SpaceToDepth"] = LayoutRules.SpaceToDepth,
        ["Resize"] = ResizeRules.Resize,
        ["Conv"] = ConvolutionRules.Conv,
        ["ConvTranspose"] = ConvolutionRules.ConvTranspose,
        ["AveragePool"] = ConvolutionRules.AveragePool,
        ["MaxPool"] = ConvolutionRules.MaxPool,
        ["GlobalAveragePool"] = ReductionRules.GlobalAveragePool,
        ["ReduceMean"] = ReductionRules.ReduceMean,
        ["ReduceSum"] = ReductionRules.ReduceSum,
        ["GlobalMaxPool"] = ReductionRules.GlobalMaxPool,
        ["ReduceMax"] = ReductionRules.ReduceExtreme,
        ["ReduceMin"] = ReductionRules.ReduceExtreme,
        ["ReduceSumSquare"] = ReductionRules.ReduceSumSquare,
        ["ReduceL1"] = ReductionRules.ReduceL1,
        ["ReduceL2"] = ReductionRules.ReduceL2,
        ["ReduceLogSumExp"] = ReductionRules.ReduceLogSumExp,
        ["Gemm"] = LinearRules.Gemm,
        ["MatMul"] = LinearRules.MatMul,
        ["Einsum"] = LinearRules.Einsum,
        ["BatchNormalization"] = NormalisationRules.Batch,
        ["LRN"] = NormalisationRules.LocalResponse,
        ["Softmax"] = NormalisationRules.Softmax,
        ["LogSoftmax"] = NormalisationRules.LogSoftmax,
        ["LayerNormalization"] = NormalisationRules.Layer,
        ["InstanceNormalization"] = NormalisationRules.Instance,
        ["GroupNormalization"] = NormalisationRules.Group,
        ["MeanVarianceNormalization"] = NormalisationRules.MeanVariance,
        ["LpNormalization"] = NormalisationRules.Lp,
    }.ToFrozenDictionary();

    /// <summary>The operators that have a rule, of ONNX's own set.</summary>
    public static IEnumerable<string> Operators => Rules.Keys;

    public static GradientRule? Find(NodeProto node) => node.Domain is "" or "ai.onnx" ? Rules.GetValueOrDefault(node.OpType) : null;
}
