using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

public sealed class MultiplyAccumulatesTests
{
    public static TheoryData<long, string, long[], string> Operators => new()
    {
        // places of the output x channels of a kernel's group x window
        { 6 * 6 * 8 * 3 * 9, "y = Conv(x, conv)", [3, 8, 8], "" },
        { 6 * 6 * 4 * 1 * 9, "y = Conv(x, depthwise)", [4, 8, 8], "group" },
        // places of the input x kernels of its channel
        { 8 * 8 * 3 * 5 * 9, "y = ConvTranspose(x, transposed)", [3, 8, 8], "" },
        { 8 * 16, "y = Gemm(x, gemm)", [8], "" },
        { 5 * 8 * 16, "y = MatMul(x, gemm)", [5, 8], "" },
        { 5 * 8 * 16, "y = Einsum(x, gemm)", [5, 8], "...ij,jk->...ik" },
        { 5 * 8 * 16, "y = Einsum(x, gemm)", [5, 8], "bij,jk->bik" },
        { 5 * 5 * 8, "y = Einsum(x, x)", [5, 8], "bij,bkj->bik" },
        { 5 * 8 * 16, "y = Einsum(x, gemm)", [5, 8], "bij,jk->bki" },
        { 5 * 8 * 16, "y = Einsum(x, gemm)", [5, 8], "bij,jk" },
        // (i j by j k), then that by j k again: two products
        { 5 * 8 * 16 + 5 * 8 * 16, "y = Einsum(x, gemm, gemm)", [5, 8], "bij,jk,jk->bik" },
        // what is summed away after the first product is no loop of the second
        { 5 * 8 * 16 + 5 * 16, "y = Einsum(x, gemm, other)", [5, 8], "bij,jk,k->bi" },
        { 0, "y = Einsum(x)", [5, 8], "bij->bji" },
        { 8 * 16, "y = MatMul(x, gemm)", [8], "" },
        { 0, "y = MaxPool(x)", [3, 8, 8], "kernel" },
        { 0, "y = AveragePool(x)", [3, 8, 8], "kernel" },
        { 8 * 8 * 4 * 3 * 9, "y = ConvTranspose(x, depthwise3)", [4, 8, 8], "group" },
        { 6 * 6 * 8 * 3 * 9, "y = FusedConv(x, conv)", [3, 8, 8], "" },
        { 0, "y = Softmax(x)", [8], "" },
        { 0, "y = GlobalAveragePool(x)", [3, 8, 8], "" },
    };

    [Theory]
    [MemberData(nameof(Operators))]
    public void Of_one_item(long macs, string node, long[] item, string option)
    {
        NodeProto call = option switch
        {
            "" => Node(node),
            "group" => Node(node, AttributeProto.Of("group", 4L)),
            "kernel" => Node(node, AttributeProto.Of("kernel_shape", 2L, 2L)),
            _ => Node(node, AttributeProto.Of("equation", option)),
        };
        if (call.OpType == "FusedConv")
            call = call with { Domain = "com.microsoft", Attributes = [AttributeProto.Of("activation", "Relu")] };
        ModelProto model = Of([Input("x", ["N", .. item.Select(Dimension.FromInt64)])], ["y"], call)
            .With(Random("conv", 1, 8, 3, 3, 3), Random("depthwise", 2, 4, 1, 3, 3), Random("transposed", 3, 3, 5, 3, 3), Random("gemm", 4, 8, 16),
                Random("other", 5, 16), Random("depthwise3", 7, 4, 3, 3, 3));
        ModelGraph graph = ModelGraph.Read(model with { OpsetImport = [.. model.OpsetImport, new() { Domain = "com.microsoft", Version = 1 }] });
        Assert.Equal(macs, graph.Macs);
    }

    [Fact]
    public void Of_transposed_and_quantised_products_and_recurrent_layers()
    {
        Assert.Equal(4 * 8, Macs(new() { Name = "w", DataType = TensorDataType.Float, Dims = [4, 8], RawData = new byte[128] },
            Input("x", "N", 8), Node("y = Gemm(x, w)", AttributeProto.Of("transB", 1L))));
        Assert.Equal(7 * 5 * 4, Macs(new() { Name = "w", DataType = TensorDataType.UInt8, Dims = [5, 4], RawData = new byte[20] },
            ValueInfoProto.Tensor("x", TensorDataType.UInt8, "N", 7, 5), Node("y = MatMulInteger(x, w)")));
        Assert.Equal(6 * 6 * 2 * 3 * 9, Macs(new() { Name = "w", DataType = TensorDataType.UInt8, Dims = [2, 3, 3, 3], RawData = new byte[54] },
            ValueInfoProto.Tensor("x", TensorDataType.UInt8, "N", 3, 8, 8), Node("y = ConvInteger(x, w)")));
        // Ten steps; four gates of six units, each reading five inputs and six units.
        ModelProto lstm = Of([Input("x", 10, 1, 5)], ["y"], Node("y = LSTM(x, w, r)", AttributeProto.Of("hidden_size", 6L))).With(Random("w", 1, 1, 24, 5), Random("r", 2, 1, 24, 6));
        Assert.Equal(10 * 4 * 6 * (5 + 6), ModelGraph.Read(lstm).Macs);
    }

    [Fact]
    public void Of_one_item_whatever_the_batch()
    {
        TensorProto weight = Random("w", 1, 8, 3, 3, 3);
        NodeProto conv = Node("y = Conv(x, w)");
        Assert.Equal(6 * 6 * 8 * 3 * 9, Macs(weight, Input("x", "N", 3, 8, 8), conv));
        // Three items in one are one item.
        Assert.Equal(3 * 6 * 6 * 8 * 3 * 9, Macs(weight, Input("x", 3, 3, 8, 8), conv));
        ModelProto gru = Of([Input("x", 10, 1, 5)], ["y"], Node("y = GRU(x, w, r)", AttributeProto.Of("hidden_size", 6L), AttributeProto.Of("direction", "bidirectional")))
            .With(Random("w", 1, 2, 18, 5), Random("r", 2, 2, 18, 6));
        Assert.Equal(10 * 2 * 3 * 6 * (5 + 6), ModelGraph.Read(gru).Macs);
        Assert.Equal(4 * 5 * 6, ModelGraph.Read(Of([Input("x", 5, 4)], ["y"], Node("y = Gemm(x, w)", AttributeProto.Of("transA", 1L))).With(Random("w", 1, 5, 6))).Macs);
        Assert.Equal(2 * 5 * 4, Macs(new() { Name = "w", DataType = TensorDataType.Float, Dims = [5, 4], RawData = new byte[80] }, Input("x", "N", 2, 5), Node("y = MatMul(x, w)")));
    }

    [Theory]
    [InlineData("...ij,...jk->...ik", 2 * 7 * 5 * 8 * 16)]
    [InlineData("abij,bjk,q->abik", 0)]
    [InlineData("bij,bjk->bik", 0)]
    public void Of_an_Einsum_whose_places_are_hidden(string equation, long macs) =>
        Assert.Equal(macs, EinsumLoops.Count(equation, [[2, 1, 5, 8], [7, 8, 16]]));

    private static long Macs(TensorProto weight, ValueInfoProto input, NodeProto node) => ModelGraph.Read(Of([input], ["y"], node).With(weight)).Macs;
}
