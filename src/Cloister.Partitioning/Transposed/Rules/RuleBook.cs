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
        ["Add"] = ArithmeticRules.Add,
        ["Sum"] = ArithmeticRules.Add,
        ["Sub"] = ArithmeticRules.Sub,
        ["Mul"] = ArithmeticRules.Mul,
        ["Div"] = ArithmeticRules.Div,
        ["Neg"] = ArithmeticRules.Neg,
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
        ["Conv"] = ConvolutionRules.Conv,
        ["AveragePool"] = ConvolutionRules.AveragePool,
        ["MaxPool"] = ConvolutionRules.MaxPool,
        ["GlobalAveragePool"] = ReductionRules.GlobalAveragePool,
        ["ReduceMean"] = ReductionRules.ReduceMean,
        ["ReduceSum"] = ReductionRules.ReduceSum,
        ["Gemm"] = LinearRules.Gemm,
        ["MatMul"] = LinearRules.MatMul,
        ["BatchNormalization"] = NormalisationRules.Batch,
        ["LRN"] = NormalisationRules.LocalResponse,
        ["Softmax"] = NormalisationRules.Softmax,
        ["LogSoftmax"] = NormalisationRules.LogSoftmax,
    }.ToFrozenDictionary();

    /// <summary>The operators that have a rule, of ONNX's own set.</summary>
    public static IEnumerable<string> Operators => Rules.Keys;

    public static GradientRule? Find(NodeProto node) => node.Domain is "" or "ai.onnx" ? Rules.GetValueOrDefault(node.OpType) : null;
}
