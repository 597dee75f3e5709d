using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Multiply-accumulates of an operator, from the shapes it runs with.</summary>
internal static class MultiplyAccumulates
{
    public static long Of(NodeProto node, Func<string, ImmutableArray<long>> shapeOf)
    {
        return node.OpType switch
        {
            "Conv" or "ConvInteger" or "FusedConv" or "DeformConv" => Convolution(Output(), Input(1)),
            "QLinearConv" => Convolution(Output(), Input(3)),
            // Each input element meets every kernel that its channel has.
            "ConvTranspose" or "ConvTransposeWithDynamicPads" => Convolution(Input(0), Input(1)),
            "Gemm" or "FusedGemm" or "QGemm" => Count(Output()) * Inner(Input(0), Flag("transA")),
            "MatMul" or "MatMulInteger" or "MatMulInteger16" or "MatMulIntegerToFloat" or "QLinearMatMul" or "DynamicQuantizeMatMul" or "TransposeMatMul" or "FusedMatMul"
                => Count(Output()) * Inner(Input(0), Flag("transA")),
            "MatMulNBits" => Count(Output()) * (Attribute("K")?.Int ?? 0),
            "LSTM" or "GRU" or "RNN" => Recurrent(Input(0), Count(Input(1)), Count(Input(2))),
            "DynamicQuantizeLSTM" => Recurrent(Input(0), Count(Input(1)), Count(Input(2))),
            "Einsum" => Contraction(),
            _ => 0,
        };

        ImmutableArray<long> Input(int place) => place < node.Inputs.Length && node.Inputs[place].Length > 0 ? shapeOf(node.Inputs[place]) : [];
        ImmutableArray<long> Output() => node.Outputs is [{ Length: > 0 } name, ..] ? shapeOf(name) : [];
        AttributeProto? Attribute(string name) => node.Attributes.FirstOrDefault(attribute => attribute.Name == name);
        bool Flag(string name) => Attribute(name)?.Int is not (null or 0);

        long Contraction() => Attribute("equation")?.String is { } equation
            ? EinsumLoops.Count(System.Text.Encoding.UTF8.GetString(equation.Span), [.. node.Inputs.Select((_, i) => Input(i))])
            : 0;
    }

    /// <summary>A kernel holds, for each place of the output, its share of the input's channels times its window.</summary>
    private static long Convolution(ImmutableArray<long> places, ImmutableArray<long> kernels) =>
        kernels is [> 0, ..] ? Count(places) * (Count(kernels) / kernels[0]) : 0;

    private static long Recurrent(ImmutableArray<long> sequence, long weights, long recurrence) =>
        sequence is [_, .., > 0] ? Count(sequence) / sequence[^1] * (weights + recurrence) : 0;

    private static long Inner(ImmutableArray<long> left, bool transposed) => left.Length switch
    {
        0 => 0,
        1 => left[0],
        _ => left[transposed ? left.Length - 2 : left.Length - 1],
    };

    private static long Count(ImmutableArray<long> shape) => shape.Aggregate(1L, (product, dimension) => product * dimension);
}
