using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Where cutting changes bits. ONNX Runtime's basic optimisations fold some operators into the weights of the one before, and its CPU
/// kernels compute half precision in single precision, rounding only where they must; a cut between hinders both.
/// </summary>
internal static class RuntimeFusions
{
    /// <summary>Whether parts that are cut at this value give, at <see cref="GraphOptimization.Basic"/>, the whole's bits.</summary>
    public static bool KeepsBits(ModelGraph graph, GraphValue value) => !IsHalf(value) && !Splits(graph, value);

    /// <summary>Whether an operator behind the value is folded into the one before it.</summary>
    public static bool Splits(ModelGraph graph, GraphValue value)
    {
        GraphValue from = value;
        while (Carries(graph.Nodes[from.Producer].Proto) && graph.Values[graph.Nodes[from.Producer].Proto.Inputs[0]] is { Producer: not GraphValue.NoNode } before)
            from = before;
        GraphValue to = value;
        while (to.Consumers is [var only] && Carries(graph.Nodes[only].Proto))
            to = graph.Values[graph.Nodes[only].Proto.Outputs[0]];

        NodeProto maker = graph.Nodes[from.Producer].Proto;
        bool straight = from == value && to == value;
        return to.Consumers is [var reader] && (maker.OpType, graph.Nodes[reader].Proto) switch
        {
            ("Conv" or "ConvTranspose" or "MatMul" or "Gemm", { OpType: "BatchNormalization" }) => true,
            ("Conv", { OpType: "Add" or "Mul" } next) => straight && next.Inputs.Count(name => graph.Values[name].DependsOnInput) == 1,
            ("Div", { OpType: "Mul" }) => straight && !graph.Values[maker.Inputs[0]].DependsOnInput,
            _ => false,
        };
    }

    private static bool IsHalf(GraphValue value) => value.Type is TensorElementType.Float16 or TensorElementType.BFloat16;

    private static bool Carries(NodeProto node) => node.OpType is "Reshape" or "Transpose";
}
