using Cloister.Onnx.Model;
using Cloister.Partitioning.Transposed;
using static Cloister.Onnx.Model.AttributeProto;

namespace Cloister.Partitioning.Tests.Transposed;

public sealed class GradientRuleTests
{
    private static readonly long[] Picture = [1, 3, 7, 8];

    private static readonly Dictionary<string, Func<ModelProto>> Graphs = new()
    {
        ["Relu"] = () => One("Relu"),
        ["LeakyRelu"] = () => One("LeakyRelu", Of("alpha", 0.3f)),
        ["Elu"] = () => One("Elu", Of("alpha", 0.7f)),
        ["Sigmoid"] = () => One("Sigmoid"),
        ["HardSigmoid"] = () => One("HardSigmoid", Of("alpha", 0.6f), Of("beta", 0.4f)),
        ["HardSwish"] = () => new SmallGraph(opset: 14).Then("HardSwish").Build(Picture),
        ["Tanh"] = () => One("Tanh"),
        ["Exp"] = () => One("Exp"),
        ["Erf"] = () => One("Erf"),
        ["Neg"] = () => One("Neg"),
        ["Identity"] = () => One("Identity"),
        ["Sqrt"] = () => new SmallGraph().Then("Exp").Then("Sqrt").Build(Picture),
        ["PRelu"] = () => With((graph, x) => graph.Then("PRelu", [x, graph.Weight(3, 1, 1)])),
        ["Clip of both bounds"] = () => With((graph, x) => graph.Then("Clip", [x, graph.Number(-0.5f), graph.Number(0.7f)])),
        ["Clip from above"] = () => With((graph, x) => graph.Then("Clip", [x, "", graph.Number(0.6f)])),
        ["Clip of old"] = () => new SmallGraph(opset: 7).Then("Clip", Of("min", -0.4f), Of("max", 0.6f)).Build(Picture),
        ["Add a constant"] = () => With((graph, x) => graph.Then("Add", [graph.Weight(2, 1, 3, 1, 1), x])),
        ["Add of itself broadcast"] = () => With((graph, x) => graph.Then("ReduceMean", [x], Of("axes", 2L, 3L)).Then("Add", [x, graph.Last])),
        ["Sum of three"] = () => With((graph, x) => graph.Then("Relu").Then("Sum", [x, graph.Last, x])),
        ["Sub a constant"] = () => With((graph, x) => graph.Then("Sub", [graph.Weight(1, 8), x])),
        ["Sub itself"] = () => With((graph, x) => graph.Then("Sigmoid").Then("Sub", [x, graph.Last])),
        ["Mul by a constant"] = () => With((graph, x) => graph.Then("Mul", [x, graph.Weight(3, 1, 1)])),
        ["Mul by itself"] = () => With((graph, x) => graph.Then("Mul", [x, x])),
        ["Mul by its gate"] = () => With((graph, x) => graph.Then("GlobalAveragePool").Then("Sigmoid").Then("Mul", [x, graph.Last])),
        ["Div by a constant"] = () => With((graph, x) => graph.Then("Div", [x, graph.Weight(1, 2, 3, 1, 8)])),
        ["Div by itself"] = () => With((graph, x) => graph.Then("Exp").Then("Div", [x, graph.Last])),
        ["Concat"] = () => With((graph, x) => graph.Then("Relu").Then("Concat", [x, graph.Last, graph.Weight(1, 2, 7, 8)], Of("axis", 1L))),
        ["Concat from the end"] = () => With((graph, x) => graph.Then("Tanh").Then("Concat", [graph.Last, x], Of("axis", -2L))),
        ["Reshape"] = () => With((graph, x) => graph.Then("Reshape", [x, graph.Integers(3, -1, 4)]).Then("Softmax", Of("axis", 0L))),
        ["Reshape by its shape"] = () => With((graph, x) => graph.Then("Shape").Then("Reshape", [x, graph.Last]).Then("Relu")),
        ["Flatten"] = () => With((graph, x) => graph.Then("Flatten", Of("axis", 2L)).Then("Softmax", Of("axis", 1L))),
        ["Squeeze and Unsqueeze"] = () => With((graph, x) => graph.Then("Squeeze", [x, graph.Integers(0)]).Then("Softmax", Of("axis", 0L)).Then("Unsqueeze", [graph.Last, graph.Integers(0, 4)])),
        ["Squeeze of old"] = () => new SmallGraph(opset: 11).Then("Squeeze", Of("axes", [0L])).Then("Tanh").Then("Unsqueeze", Of("axes", 0L, 2L)).Build(Picture),
        ["Transpose"] = () => One("Transpose", Of("perm", 0L, 3L, 1L, 2L)),
        ["Transpose by default"] = () => One("Transpose"),
        ["Pad"] = () => With((graph, x) => graph.Then("Pad", [x, graph.Integers(0, 1, 0, 2, 0, 0, 3, 0), graph.Number(4)])),
        ["Pad that crops"] = () => With((graph, x) => graph.Then("Pad", [x, graph.Integers(0, 0, -1, 0, 0, 1, 0, -2)])),
        ["Pad of old"] = () => new SmallGraph(opset: 9).Then("Pad", Of("pads", 0L, 0, 1, 2, 0, 0, 0, 1), Of("value", 2f)).Build(Picture),
        ["Slice in steps"] = () => With((graph, x) => graph.Then("Slice", [x, graph.Integers(0, 1), graph.Integers(7, 8), graph.Integers(2, 3), graph.Integers(2, 3)])),
        ["Slice backwards"] = () => With((graph, x) => graph.Then("Slice", [x, graph.Integers(-1), graph.Integers(-100), graph.Integers(1), graph.Integers(-1)])),
        ["Slice of old"] = () => new SmallGraph(opset: 9).Then("Slice", Of("starts", [1L]), Of("ends", [6L]), Of("axes", [3L])).Build(Picture),
        ["Split"] = () => With((graph, x) => graph.Then("Split", [x, graph.Integers(2, 1)], Of("axis", 1L)).Outputs("a", "b").Then("Mul", ["a", "b"])),
        ["Split, half of it unused"] = () => With((graph, x) => graph.Then("Split", [x], Of("axis", 3L)).Outputs("a", "b").Then("Tanh", ["b"])),
        ["Gather"] = () => With((graph, x) => graph.Then("Gather", [x, graph.Integers(2, 0, 2)], Of("axis", 1L))),
        ["Expand"] = () => With((graph, x) => graph.Then("GlobalAveragePool").Then("Expand", [graph.Last, graph.Integers(1, 3, 2, 5)])),
        ["Conv"] = () => Conv([4, 3, 3, 3], Of("pads", 1L, 1, 1, 1)),
        ["Conv in steps"] = () => Conv([4, 3, 3, 3], Of("pads", 0L, 1, 1, 0), Of("strides", 2L, 3L)),
        ["Conv in steps that miss the end"] = () => Conv([4, 3, 2, 2], Of("strides", 3L, 3L)),
        ["Conv dilated"] = () => Conv([4, 3, 3, 2], Of("dilations", 2L, 3L), Of("pads", 2L, 0, 1, 3)),
        ["Conv in groups"] = () => Conv([6, 1, 3, 3], Of("group", 3L), Of("pads", 1L, 1, 1, 1), Of("strides", 2L, 2L)),
        ["Conv SAME_UPPER"] = () => Conv([4, 3, 3, 4], Of("auto_pad", "SAME_UPPER"), Of("strides", 2L, 2L)),
        ["Conv SAME_LOWER"] = () => Conv([4, 3, 4, 3], Of("auto_pad", "SAME_LOWER"), Of("strides", 1L, 3L)),
        ["Conv VALID"] = () => Conv([4, 3, 2, 3], Of("auto_pad", "VALID")),
        ["Conv of one dimension"] = () => With((graph, x) => graph.Then("Reshape", [x, graph.Integers(1, 3, 56)]).Then("Conv", [graph.Last, graph.Weight(2, 3, 5)], Of("strides", [4L]))),
        ["MaxPool"] = () => One("MaxPool", Of("kernel_shape", 2L, 2L), Of("strides", 2L, 2L)),
        ["MaxPool that overlaps"] = () => One("MaxPool", Of("kernel_shape", 3L, 3L), Of("strides", 2L, 2L), Of("pads", 1L, 1, 0, 0)),
        ["MaxPool that overhangs"] = () => One("MaxPool", Of("kernel_shape", 3L, 3L), Of("strides", 2L, 2L), Of("ceil_mode", 1L)),
        ["MaxPool dilated"] = () => One("MaxPool", Of("kernel_shape", 2L, 2L), Of("dilations", 2L, 3L)),
        ["MaxPool SAME_LOWER"] = () => One("MaxPool", Of("kernel_shape", 3L, 2L), Of("strides", 2L, 1L), Of("auto_pad", "SAME_LOWER")),
        ["MaxPool of old"] = () => new SmallGraph(opset: 7).Then("MaxPool", Of("kernel_shape", 2L, 2L)).Build(Picture),
        ["AveragePool"] = () => One("AveragePool", Of("kernel_shape", 2L, 3L), Of("strides", 2L, 1L)),
        ["AveragePool with pads"] = () => One("AveragePool", Of("kernel_shape", 3L, 3L), Of("pads", 1L, 1, 1, 1), Of("strides", 2L, 2L)),
        ["AveragePool that counts pads"] = () => One("AveragePool", Of("kernel_shape", 3L, 3L), Of("pads", 1L, 1, 1, 1), Of("count_include_pad", 1L)),
        ["AveragePool that overhangs"] = () => One("AveragePool", Of("kernel_shape", 3L, 3L), Of("strides", 2L, 2L), Of("ceil_mode", 1L)),
        ["AveragePool SAME_UPPER"] = () => One("AveragePool", Of("kernel_shape", 3L, 3L), Of("strides", 2L, 2L), Of("auto_pad", "SAME_UPPER")),
        ["GlobalAveragePool"] = () => One("GlobalAveragePool"),
        ["ReduceMean"] = () => One("ReduceMean", Of("axes", 1L, -1L), Of("keepdims", 0L)),
        ["ReduceMean of all"] = () => One("ReduceMean"),
        ["ReduceMean of new"] = () => With((graph, x) => graph.Then("ReduceMean", [x, graph.Integers(2, 3)]), opset: 18),
        ["ReduceSum"] = () => With((graph, x) => graph.Then("ReduceSum", [x, graph.Integers(-2)], Of("keepdims", 0L))),
        ["ReduceSum of what a node holds"] = () => With((graph, x) => graph.Then("Constant", [], Of("value_ints", 1L, -1L)).Then("ReduceSum", [x, graph.Last])),
        ["ReduceSum of old"] = () => new SmallGraph(opset: 11).Then("ReduceSum", Of("axes", [3L])).Build(Picture),
        ["Gemm"] = () => With((graph, x) => graph.Then("Flatten", Of("axis", 2L)).Then("Gemm", [graph.Last, graph.Weight(56, 5), graph.Weight(5)], Of("alpha", 0.5f), Of("beta", 2f))),
        ["Gemm turned"] = () => With((graph, x) => graph.Then("Flatten", Of("axis", 2L)).Then("Gemm", [graph.Last, graph.Weight(4, 3)], Of("transA", 1L), Of("transB", 1L))),
        ["Gemm on the right"] = () => With((graph, x) => graph.Then("Flatten", Of("axis", 2L)).Then("Gemm", [graph.Weight(3, 3), graph.Last, graph.Last])),
        ["Gemm by itself"] = () => With((graph, x) => graph.Then("Flatten", Of("axis", 2L)).Then("Gemm", [graph.Last, graph.Last], Of("transB", 1L))),
        ["MatMul"] = () => With((graph, x) => graph.Then("MatMul", [x, graph.Weight(8, 5)])),
        ["MatMul on the right"] = () => With((graph, x) => graph.Then("MatMul", [graph.Weight(2, 1, 4, 7), x])),
        ["MatMul by itself"] = () => With((graph, x) => graph.Then("Transpose", Of("perm", 0L, 1L, 3L, 2L)).Then("MatMul", [x, graph.Last])),
        ["BatchNormalization"] = () => With((graph, x) => graph.Then("BatchNormalization", [x, graph.Weight(3), graph.Weight(3), graph.Weight(3), graph.Weight(0.2, 2, 3)], Of("epsilon", 1e-3f))),
        ["BatchNormalization of old"] = () => With((graph, x) => graph.Then("BatchNormalization", [x, graph.Weight(3), graph.Weight(3), graph.Weight(3), graph.Weight(0.2, 2, 3)], Of("spatial", 1L)), opset: 7),
        ["LRN"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(7, 3, 1, 1)]).Then("LRN", Of("size", 5L), Of("alpha", 2f), Of("beta", 0.6f), Of("bias", 1.5f))),
        ["Softmax"] = () => One("Softmax", Of("axis", 1L)),
        ["Softmax of old"] = () => new SmallGraph(opset: 11).Then("Softmax", Of("axis", 1L)).Build(Picture),
        ["LogSoftmax"] = () => One("LogSoftmax", Of("axis", -1L)),
        ["Log"] = () => new SmallGraph().Then("Exp").Then("Log").Build(Picture),
        ["Abs"] = () => One("Abs"),
        ["Sin"] = () => One("Sin"),
        ["Cos"] = () => One("Cos"),
        ["Reciprocal"] = () => new SmallGraph().Then("Exp").Then("Reciprocal").Build(Picture),
        ["Softplus"] = () => One("Softplus"),
        ["Softsign"] = () => One("Softsign"),
        ["Selu"] = () => One("Selu"),
        ["Selu of other numbers"] = () => One("Selu", Of("alpha", 0.8f), Of("gamma", 1.7f)),
        ["Celu"] = () => One("Celu", Of("alpha", 0.6f)),
        ["ThresholdedRelu"] = () => One("ThresholdedRelu", Of("alpha", 0.3f)),
        ["Mish"] = () => new SmallGraph(opset: 18).Then("Mish").Build(Picture),
        ["Gelu"] = () => new SmallGraph(opset: 20).Then("Gelu").Build(Picture),
        ["Gelu by tanh"] = () => new SmallGraph(opset: 20).Then("Gelu", Of("approximate", "tanh")).Build(Picture),
        ["Pow"] = () => With((graph, x) => graph.Then("Pow", [x, graph.Number(3)])),
        ["Pow of a whole number"] = () => With((graph, x) => graph.Then("Pow", [x, graph.Integers(2)])),
        ["Mean"] = () => With((graph, x) => graph.Then("Tanh").Then("Mean", [x, graph.Last, graph.Weight(3, 1, 1)])),
        ["Max"] = () => With((graph, x) => graph.Then("Neg").Then("Max", [x, graph.Last, graph.Weight(3, 1, 1)])),
        ["Min"] = () => With((graph, x) => graph.Then("ReduceMean", [x], Of("axes", [2L])).Then("Min", [x, graph.Last])),
        ["Where"] = () => With((graph, x) => graph.Then("Greater", [x, graph.Number(0.2f)]).Outputs("c").Then("Sin", [x]).Then("Where", ["c", x, graph.Last])),
        ["Tile"] = () => With((graph, x) => graph.Then("Tile", [x, graph.Integers(1, 2, 1, 3)])),
        ["GatherElements"] = () => With((graph, x) => graph.Then("GatherElements", [x, graph.Places([1, 3, 7, 2], 8)], Of("axis", 3L))),
        ["GatherND"] = () => With((graph, x) => graph.Then("GatherND", [x, graph.Places([5, 4], 1)])),
        ["DepthToSpace"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(8, 3, 1, 1)]).Then("DepthToSpace", Of("blocksize", 2L))),
        ["DepthToSpace in columns"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(8, 3, 1, 1)]).Then("DepthToSpace", Of("blocksize", 2L), Of("mode", "CRD"))),
        ["SpaceToDepth"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(2, 3, 2, 3)]).Then("SpaceToDepth", Of("blocksize", 3L))),
        ["Pad by reflection"] = () => With((graph, x) => graph.Then("Pad", [x, graph.Integers(0, 0, 2, 1, 0, 0, 3, 2)], Of("mode", "reflect"))),
        ["Pad by the edge"] = () => With((graph, x) => graph.Then("Pad", [x, graph.Integers(0, 0, 2, 1, 0, 0, 3, -1), graph.Number(0)], Of("mode", "edge"))),
        ["Pad by wrapping"] = () => With((graph, x) => graph.Then("Pad", [x, graph.Integers(2, 1, 3, 2), "", graph.Integers(2, 3)], Of("mode", "wrap")), opset: 19),
        ["Resize to the nearest"] = () => With((graph, x) => graph.Then("Resize", [x, "", graph.Floats(1, 1, 2, 1.5f)], Of("mode", "nearest"), Of("coordinate_transformation_mode", "asymmetric"), Of("nearest_mode", "floor"))),
        ["Resize to sizes"] = () => With((graph, x) => graph.Then("Resize", [x, "", "", graph.Integers(1, 3, 11, 5)], Of("mode", "linear"))),
        ["Resize by corners"] = () => With((graph, x) => graph.Then("Resize", [x, "", "", graph.Integers(1, 3, 13, 16)], Of("mode", "linear"), Of("coordinate_transformation_mode", "align_corners"))),
        ["Resize as PyTorch does"] = () => With((graph, x) => graph.Then("Resize", [x, "", graph.Floats(1, 1, 2, 0.5f)], Of("mode", "linear"), Of("coordinate_transformation_mode", "pytorch_half_pixel"))),
        ["Resize by cubes"] = () => With((graph, x) => graph.Then("Resize", [x, "", graph.Floats(1, 1, 2, 2)], Of("mode", "cubic"), Of("cubic_coeff_a", -0.5f))),
        ["Resize by a little"] = () => With((graph, x) => graph.Then("Resize", [x, "", graph.Floats(1, 1, 1.1f, 1.1f)], Of("mode", "linear"))),
        ["Resize of named sides, smoothed"] = () => With((graph, x) => graph.Then("Resize", [x, "", graph.Floats(0.6f, 0.5f)], Of("mode", "linear"), Of("antialias", 1L), Of("axes", 2L, 3L)), opset: 18),
        ["Resize of old"] = () => new SmallGraph(opset: 10).Then("Resize", ["x", "scales"], Of("mode", "nearest")).Build(Picture).With(TensorProto.Of("scales", [4], [1f, 1, 2, 3])),
        ["Resize of old that shrinks"] = () => new SmallGraph(opset: 10).Then("Resize", ["x", "scales"], Of("mode", "linear")).Build(Picture).With(TensorProto.Of("scales", [4], [1f, 1, 0.5f, 2])),
        ["Upsample"] = () => new SmallGraph(opset: 9).Then("Upsample", ["x", "scales"], Of("mode", "linear")).Build(Picture).With(TensorProto.Of("scales", [4], [1f, 1, 2, 3])),
        ["Upsample of old"] = () => new SmallGraph(opset: 7).Then("Upsample", Of("scales", 1f, 1, 2, 2)).Build(Picture),
        ["ConvTranspose"] = () => With((graph, x) => graph.Then("ConvTranspose", [x, graph.Weight(3, 4, 3, 3), graph.Weight(4)], Of("strides", 2L, 2L), Of("pads", 1L, 1, 1, 1), Of("output_padding", 1L, 1L))),
        ["ConvTranspose in groups"] = () => With((graph, x) => graph.Then("ConvTranspose", [x, graph.Weight(3, 2, 2, 3)], Of("group", 3L), Of("dilations", 2L, 1L), Of("strides", 3L, 2L))),
        ["GlobalMaxPool"] = () => One("GlobalMaxPool"),
        ["ReduceMax"] = () => One("ReduceMax", Of("axes", 1L, 3L), Of("keepdims", 0L)),
        ["ReduceMin"] = () => With((graph, x) => graph.Then("ReduceMin", [x, graph.Integers(-1)]), opset: 18),
        ["ReduceSumSquare"] = () => One("ReduceSumSquare", Of("axes", [2L])),
        ["ReduceL1"] = () => One("ReduceL1", Of("axes", [3L])),
        ["ReduceL2"] = () => One("ReduceL2", Of("axes", [1L]), Of("keepdims", 0L)),
        ["ReduceLogSumExp"] = () => One("ReduceLogSumExp", Of("axes", 2L, 3L)),
        ["AveragePool that counts pads and overhangs"] = () => One("AveragePool", Of("kernel_shape", 3L, 3L), Of("strides", 2L, 2L), Of("pads", 1L, 1, 1, 1), Of("ceil_mode", 1L), Of("count_include_pad", 1L)),
        ["AveragePool of new that overhangs"] = () => new SmallGraph(opset: 19).Then("AveragePool", Of("kernel_shape", 3L, 2L), Of("strides", 2L, 3L), Of("dilations", 2L, 2L), Of("pads", 1L, 0, 0, 1), Of("ceil_mode", 1L), Of("count_include_pad", 1L)).Build(Picture),
        ["MatMul by a vector"] = () => With((graph, x) => graph.Then("MatMul", [x, graph.Weight(8)])),
        ["MatMul of a vector"] = () => With((graph, x) => graph.Then("MatMul", [graph.Weight(7), x])),
        ["MatMul of a vector that varies"] = () => With((graph, x) => graph.Then("Reshape", [x, graph.Integers(168)]).Then("MatMul", [graph.Last, graph.Weight(2, 168, 3)])),
        ["MatMul by a vector that varies"] = () => With((graph, x) => graph.Then("Reshape", [x, graph.Integers(168)]).Then("MatMul", [graph.Weight(2, 4, 168), graph.Last])),
        ["Einsum"] = () => With((graph, x) => graph.Then("Einsum", [x, graph.Weight(8, 5)], Of("equation", "nchw,wk->nkhc"))),
        ["Einsum of itself"] = () => With((graph, x) => graph.Then("Sin").Then("Einsum", [x, graph.Last], Of("equation", "nchw,ncHw->nhH"))),
        ["LayerNormalization"] = () => With((graph, x) => graph.Then("LayerNormalization", [x, graph.Weight(7, 8), graph.Weight(7, 8)], Of("axis", -2L), Of("epsilon", 0.01f)), opset: 17),
        ["InstanceNormalization"] = () => With((graph, x) => graph.Then("InstanceNormalization", [x, graph.Weight(3), graph.Weight(3)], Of("epsilon", 0.01f))),
        ["GroupNormalization"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(4, 3, 1, 1)]).Then("GroupNormalization", [graph.Last, graph.Weight(2), graph.Weight(2)], Of("num_groups", 2L)), opset: 18),
        ["GroupNormalization of new"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(4, 3, 1, 1)]).Then("GroupNormalization", [graph.Last, graph.Weight(4), graph.Weight(4)], Of("num_groups", 2L)), opset: 21),
        ["MeanVarianceNormalization"] = () => One("MeanVarianceNormalization"),
        ["LpNormalization"] = () => One("LpNormalization", Of("axis", 1L)),
        ["LpNormalization of magnitudes"] = () => One("LpNormalization", Of("axis", 3L), Of("p", 1L)),
        ["Gate and squeeze, as EfficientNet has"] = () => With((graph, x) => graph.Then("GlobalAveragePool").Then("Conv", [graph.Last, graph.Weight(2, 3, 1, 1)]).Then("Sigmoid").Outputs("s")
            .Then("Conv", ["s", graph.Weight(3, 2, 1, 1)]).Then("HardSigmoid").Then("Mul", [x, graph.Last])),
        ["SiLU"] = () => With((graph, x) => graph.Then("Sigmoid").Then("Mul", [x, graph.Last])),
        ["HardSwish written out"] = () => With((graph, x) => graph.Then("Add", [x, graph.Number(3)]).Then("Clip", [graph.Last, graph.Number(0), graph.Number(6)]).Then("Mul", [x, graph.Last]).Then("Div", [graph.Last, graph.Number(6)])),
        ["Dropout"] = () => new SmallGraph(opset: 7).Then("Tanh").Then("Dropout", Of("ratio", 0.9f)).Build(Picture),
        ["A residual block"] = Residual,
        ["A block of two outputs"] = () => With((graph, x) => graph.Then("Conv", [x, graph.Weight(4, 3, 3, 3)]).Then("Relu").Then("MaxPool", Of("kernel_shape", 2L, 2L)), outputs: ["v1", "v2"]),
    };

    public static TheoryData<string> Names => [.. Graphs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_rule_gives_what_differences_give(string name)
    {
        ModelProto front = Graphs[name]();
        var random = new Random(name.Length);
        // Apart from each other and from zero, so that differences meet few kinks.
        float[] x = [.. Enumerable.Range(0, 3 * 7 * 8).Select(i => (i + 0.5f) / 42 - 2)];
        random.Shuffle(x);
        using var check = new GradientCheck(front, x);
        check.DemandEqual(x, Enumerable.Range(0, x.Length), name);
    }

    [Fact]
    public void Every_rule_is_checked() =>
        Assert.Empty(TransposedGraph.Operators.Except(Graphs.Values.SelectMany(graph => graph().Graph.Nodes).Select(node => node.OpType)).Except(["Cast"]));

    [Theory]
    [InlineData("Round")]
    [InlineData("Sign")]
    [InlineData("Ceil")]
    public void An_operator_without_a_rule_is_refused_by_its_name(string type)
    {
        var refused = Assert.Throws<PartitioningException>(() => TransposedGraph.Emit(new SmallGraph().Then("Relu").Then(type).Then("Relu").Build(Picture)));
        Assert.Equal(PartitioningError.GradientRefused, refused.Error);
        Assert.Contains(type, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_gradient_is_refused()
    {
        ModelProto[] refused =
        [
            With((graph, x) => graph.Then("Shape").Then("Cast", Of("to", 1L))),
            With((graph, x) => graph.Then("Conv", [graph.Weight(1, 3, 9, 9), graph.Last])),
            With((graph, x) => graph.Then("Cast", Of("to", 11L)).Then("Mul", [graph.Last, graph.Last]).Then("Cast", Of("to", 1L)).Then("Add", [x, graph.Last])),
            With((graph, x) => graph.Then("Pow", [graph.Number(2), x])),
            With((graph, x) => graph.Then("ConvTranspose", [x, graph.Weight(3, 2, 3, 3)], Of("strides", 2L, 2L), Of("auto_pad", "SAME_UPPER"))),
            With((graph, x) => graph.Then("Resize", [x, graph.Floats(0, 0, 0, 0, 1, 1, 1, 1), graph.Floats(1, 1, 2, 2)], Of("coordinate_transformation_mode", "tf_crop_and_resize"))),
            With((graph, x) => graph.Then("Resize", [x, "", "", graph.Integers(9, 9)], Of("axes", 2L, 3L), Of("keep_aspect_ratio_policy", "not_larger")), opset: 18),
            With((graph, x) => graph.Then("Einsum", [x], Of("equation", "nchw->nhwc"))),
            new SmallGraph(opset: 10).Then("Resize", ["x", "scales"], Of("mode", "nearest")).Build(Picture).With(TensorProto.Of("scales", [4], [1f, 1, 0.5f, 1])),
            With((graph, x) => graph.Then("LayerNormalization", [x, graph.Weight(8)]).Outputs("y", "mean").Then("Mul", ["y", "mean"]), opset: 17),
            new SmallGraph(opset: 6).Then("Relu").Build(Picture),
            new SmallGraph().Then("Relu").Build([1, 3, -1, 8]),
        ];
        Assert.All(refused, front => Assert.Equal(PartitioningError.GradientRefused, Assert.Throws<PartitioningException>(() => TransposedGraph.Emit(front)).Error));
    }

    [Fact]
    public void An_operator_beside_the_way_needs_no_rule()
    {
        ModelProto front = With((graph, x) => graph.Then("Round").Then("Relu", [x]));
        using var check = new GradientCheck(front, [.. Enumerable.Range(0, 168).Select(i => i % 5 - 2.5f)]);
        Assert.Contains(check.Gradient, value => value != 0);
    }

    [Fact]
    public void A_front_has_no_node_that_only_leaves_out_what_another_leaves_out()
    {
        ModelProto front = FrontGraph.Of(With((graph, x) => graph.Then("MaxPool", Of("kernel_shape", 2L, 2L)).Outputs("dead", "").Then("Clip", [x, "", graph.Number(1)])), ["v1"]);
        Assert.Equal(["Clip", "Identity"], front.Graph.Nodes.Select(node => node.OpType));
    }

    [Fact]
    public void Names_that_the_tape_would_give_may_be_taken()
    {
        ModelProto front = new SmallGraph().Then("Sin").Outputs("cloister/back/0").Then("Tanh", ["cloister/back/0"]).Outputs("cloister/back/2").Build(Picture, "cloister/back/2");
        using var check = new GradientCheck(front, [.. Enumerable.Range(0, 168).Select(i => i % 5 - 2.5f)]);
        Assert.Equal(check.Difference([.. Enumerable.Range(0, 168).Select(i => i % 5 - 2.5f)], 3, 4e-3f), check.Gradient[3], 1e-3);
    }

    [Fact]
    public void What_changed_its_meaning_beside_the_way_is_written_anew_too()
    {
        // Before operator set 13 Hardmax took everything from its axis on as one dimension; before 16 RoiAlign had no half pixels.
        ModelProto hard = new SmallGraph(opset: 11).Then("Hardmax", ["w"], Of("axis", 1L)).Then("Mul", ["x", "v0"]).Build(Picture).With(TensorProto.Of("w", [1, 3, 7, 8], Values(168)));
        ModelProto roi = new SmallGraph(opset: 11).Then("RoiAlign", ["w", "r", "b"], Of("output_height", 7L), Of("output_width", 8L)).Then("Mul", ["x", "v0"]).Build(Picture)
            .With(TensorProto.Of("w", [1, 3, 7, 8], Values(168))).With(TensorProto.Of("r", [1, 4], [0.3f, 0.7f, 5, 4])).With(TensorProto.Of("b", [1], [0L]));
        // The emitted graph gives the outputs of the graph itself: checked where the gradient is computed.
        using GradientCheck one = new(hard, Values(168)), other = new(roi, Values(168));
        Assert.Contains(one.Gradient, value => value != 0);
        Assert.Contains(other.Gradient, value => value != 0);

        static float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => i * 37 % 168 / 84f - 1)];
    }

    private static ModelProto One(string type, params AttributeProto[] attributes) => new SmallGraph().Then(type, attributes).Build(Picture);

    private static ModelProto Conv(long[] weights, params AttributeProto[] attributes) => With((graph, x) => graph.Then("Conv", [x, graph.Weight(weights), graph.Weight(weights[0])], attributes));

    private static ModelProto With(Func<SmallGraph, string, SmallGraph> build, long opset = 13, string[]? outputs = null) =>
        build(new SmallGraph(opset: opset), "x").Build(Picture, outputs ?? []);

    private static ModelProto Residual() => With((graph, x) =>
    {
        graph.Then("Conv", [x, graph.Weight(4, 3, 3, 3), graph.Weight(4)], Of("pads", 1L, 1, 1, 1), Of("strides", 2L, 2L)).Then("Clip", [graph.Last, graph.Number(0), graph.Number(6)]);
        string left = graph.Last;
        graph.Then("Conv", [left, graph.Weight(4, 1, 3, 3)], Of("group", 4L), Of("pads", 1L, 1, 1, 1)).Then("Sigmoid").Then("Mul", [graph.Last, left]);
        string right = graph.Last;
        graph.Then("AveragePool", [x], Of("kernel_shape", 2L, 2L), Of("strides", 2L, 2L), Of("ceil_mode", 1L)).Then("Conv", [graph.Last, graph.Weight(4, 3, 1, 1)]);
        return graph.Then("Add", [graph.Last, right]).Then("Concat", [graph.Last, left], Of("axis", 1L)).Then("Flatten").Then("Gemm", [graph.Last, graph.Weight(128, 6), graph.Weight(6)]).Then("Softmax", Of("axis", 1L));
    });
}
