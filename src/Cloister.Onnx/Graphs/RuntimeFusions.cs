using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Where cutting changes bits. ONNX Runtime's basic optimisations (graph_transformer_utils.cc, level 1) make one operator of several, and
/// its CPU kernels compute half precision in single precision, rounding only where they must; a cut between hinders both.
/// </summary>
internal static class RuntimeFusions
{
    /// <summary>So many reshapes in a row are not looked past: a value among more counts as one that splits.</summary>
    private const int LongestWay = 100;

    /// <summary>Whether parts that are cut at this value give, at <see cref="GraphOptimization.Basic"/>, the whole's bits.</summary>
    public static bool KeepsBits(ModelGraph graph, GraphValue value) =>
        value.Type is not (TensorElementType.Float16 or TensorElementType.BFloat16) && !Splits(graph, value);

    /// <summary>Whether the value lies between operators that are made one.</summary>
    public static bool Splits(ModelGraph graph, GraphValue value) =>
        IsFoldedIntoWeights(graph, value) || IsInsideLayerNormalization(graph, value) || IsInsideGelu(graph, value);

    /// <summary>
    /// Whether a value between operators that would be made one is read aside too, by what no output needs or for its shape: the whole cannot
    /// make one of them, and a part, in which nothing reads aside, can.
    /// </summary>
    public static bool AreHindered(ModelGraph graph) =>
        graph.Flow.Values.Any(value => value.Consumers.Any(consumer => !graph.Nodes[consumer].OnTheWay) && Splits(graph, value) || IsScaledTwice(graph, value));

    // What a file computes twice the whole computes once (CommonSubexpressionElimination), and may fold; not where one of the two crosses.
    private static bool IsScaledTwice(ModelGraph graph, GraphValue value)
    {
        NodeProto[] readers = [.. value.Consumers.Where(consumer => graph.Nodes[consumer].OnTheWay).Select(consumer => graph.Nodes[consumer].Proto).Take(LongestWay)];
        return readers is [{ OpType: "BatchNormalization" or "Add" or "Mul" } first, _, ..] && IsWithConstants(graph, first)
            && readers.All(reader => reader.OpType == first.OpType && reader.Inputs.AsSpan().SequenceEqual(first.Inputs.AsSpan()))
            && Product(graph, value) is { OpType: "Conv" or "ConvTranspose" or "MatMul" or "Gemm" };
    }

    // What follows a convolution or a matrix product channel by channel becomes part of its weights: ConvBNFusion, ConvMulFusion,
    // ConvAddFusion, MatMulBNFusion; and DivMulFusion.
    private static bool IsFoldedIntoWeights(ModelGraph graph, GraphValue value)
    {
        GraphValue from = value, to = value;
        int way = 0;
        for (; way < LongestWay && Maker(graph, from) is { OpType: "Reshape" or "Transpose" } carrier && graph.Values[carrier.Inputs[0]] is { Producer: not GraphValue.NoNode } before; way++)
            from = before;
        for (; way < LongestWay && Reader(graph, to) is { OpType: "Reshape" or "Transpose" } carrier; way++)
            to = graph.Values[carrier.Outputs[0]];
        if (way == LongestWay)
            return true;

        bool straight = from == value && to == value;
        return (Product(graph, from), Reader(graph, to)) switch
        {
            ({ OpType: "Conv" or "ConvTranspose" or "MatMul" or "Gemm" }, { OpType: "BatchNormalization" }) => true,
            ({ OpType: "Conv" }, { OpType: "Add" or "Mul" } next) => straight && IsWithConstants(graph, next),
            ({ OpType: "Div" } maker, { OpType: "Mul" }) => straight && !graph.Values[maker.Inputs[0]].DependsOnInput,
            _ => false,
        };
    }

    // The maker of a value; where that is folded into a product before it, the product, of which the value then is the result.
    private static NodeProto? Product(ModelGraph graph, GraphValue value)
    {
        NodeProto? maker = Maker(graph, value);
        bool scales = false;
        NodeProto? at = maker;
        for (int way = 0; way < LongestWay && at is { OpType: "BatchNormalization" or "Add" or "Mul" } && IsWithConstants(graph, at); way++)
        {
            scales |= at.OpType != "BatchNormalization";
            GraphValue before = graph.Values[at.Inputs.First(name => graph.Values[name].DependsOnInput)];
            if (Reader(graph, before) != at)
                return maker;
            at = Maker(graph, before);
        }
        return at is { OpType: "Conv" } || !scales && at is { OpType: "ConvTranspose" or "MatMul" or "Gemm" } ? at : maker;
    }

    // LayerNormFusion: (x - mean) / sqrt(...) * scale + bias.
    private static bool IsInsideLayerNormalization(ModelGraph graph, GraphValue value) => Maker(graph, value) switch
    {
        { OpType: "Sub" } maker => maker.Inputs.Any(input => IsMadeBy(graph, input, "ReduceMean")),
        { OpType: "Div" } maker => IsMadeBy(graph, maker.Inputs[1], "Sqrt"),
        { OpType: "Mul" } maker => IsWithConstants(graph, maker) && Reader(graph, value) is { OpType: "Add" } next && IsWithConstants(graph, next)
            && maker.Inputs.Any(input => IsMadeBy(graph, input, "Div") && IsInsideLayerNormalization(graph, graph.Values[input])),
        _ => false,
    };

    // GeluFusion: x * (erf(...) + 1) * 0.5.
    private static bool IsInsideGelu(ModelGraph graph, GraphValue value) =>
        Maker(graph, value) is { OpType: "Mul" } maker && Reader(graph, value) is { OpType: "Mul" } next && IsWithConstants(graph, next)
        && maker.Inputs.Any(input => Maker(graph, graph.Values[input]) is { OpType: "Add" } add && add.Inputs.Any(inner => IsMadeBy(graph, inner, "Erf")));

    private static bool IsMadeBy(ModelGraph graph, string name, string opType) => Maker(graph, graph.Values[name])?.OpType == opType;

    private static bool IsWithConstants(ModelGraph graph, NodeProto node) => node.Inputs.Count(name => graph.Values[name].DependsOnInput) == 1;

    private static NodeProto? Maker(ModelGraph graph, GraphValue value) => value.Producer == GraphValue.NoNode ? null : graph.Nodes[value.Producer].Proto;

    /// <summary>The one node on the way that reads the value; null where there are several.</summary>
    private static NodeProto? Reader(ModelGraph graph, GraphValue value)
    {
        NodeProto? reader = null;
        foreach (int consumer in value.Consumers)
        {
            if (!graph.Nodes[consumer].OnTheWay)
                continue;
            if (reader is not null)
                return null;
            reader = graph.Nodes[consumer].Proto;
        }
        return reader;
    }
}
