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
            _ => Node(node, AttributeProto.Of("equation", option)),
        };
        if (call.OpType == "FusedConv")
            call = call with { Domain = "com.microsoft", Attributes = [AttributeProto.Of("activation", "Relu")] };
        ModelProto model = Of([Input("x", ["N", .. item.Select(Dimension.FromInt64)])], ["y"], call)
            .With(Random("conv", 1, 8, 3, 3, 3), Random("depthwise", 2, 4, 1, 3, 3), Random("transposed", 3, 3, 5, 3, 3), Random("gemm", 4, 8, 16));
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

    private static long Macs(TensorProto weight, ValueInfoProto input, NodeProto node) => ModelGraph.Read(Of([input], ["y"], node).With(weight)).Macs;
}
