using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>What is read of a value's shape holds nothing of an input: it neither crosses nor hinders a cut.</summary>
public sealed class ShapeChainTests
{
    private static readonly ValueInfoProto Picture = Input("x", "N", 3, 8, 8);

    private static readonly TensorProto[] Weights =
    [
        Random("w", 1, 4, 3, 3, 3), Random("v", 2, 4, 4, 1, 1), Random("m", 3, 144, 5), TensorProto.Of("zero", [], [0L]), TensorProto.Of("rest", [1], [-1L]),
        TensorProto.Of("four", [1], [4L]), TensorProto.Of("two", [1], [2L]), TensorProto.Of("first", [1], [0L]), TensorProto.Of("second", [1], [2L]), TensorProto.Of("last", [1], [4L]),
    ];

    [Theory]
    [InlineData("x")]
    [InlineData("c")]
    [InlineData("r")]
    public void A_batch_that_is_read_in_front_to_reshape_behind_crosses_no_cut(string read)
    {
        // As exporters write x.view(x.size(0), -1).
        ModelGraph graph = ModelGraph.Read(Of([Picture], ["y"],
            Node("c = Conv(x, w)"), Node("r = Relu(c)"), Node($"s = Shape({read})"), Node("g = Gather(s, zero)"), Node("u = Unsqueeze(g, first)"),
            Node("t = Concat(u, rest)", AttributeProto.Of("axis", 0L)), Node("d = Conv(r, v)"), Node("e = Sigmoid(d)"), Node("f = Reshape(e, t)"), Node("y = MatMul(f, m)")).With(Weights));
        Assert.Equal(["c", "r", "d", "e", "f"], CutFinder.Find(graph, 3).Select(cut => Assert.Single(cut.Tensors)));
        Assert.All(["s", "t"], name => Assert.Equal(GraphError.NotACut, Assert.Throws<GraphException>(() => graph.Cut([name])).Error));
        DemandSameBits(graph);
        PartitionedModel parts = GraphCutter.Split(graph, ["d"], ["f"]);
        Assert.All(parts.Back.Graph.Nodes, node => Assert.DoesNotContain("x", node.Inputs));
        Assert.Equal(["x"], parts.Front.Graph.Inputs.Select(input => input.Name));
        Assert.DoesNotContain("t", parts.Tail!.Graph.Nodes.SelectMany(node => node.Inputs));
    }

    [Fact]
    public void Sizes_are_written_down_where_they_are_fixed()
    {
        // Enlarged to the size that the input has, as segmentation networks do.
        ModelProto model = Of([Picture], ["y"], Node("c = Conv(x, w)"), Node("d = Conv(c, v)"), Node("a = Shape(x)"), Node("h = Slice(a, second, last)"), Node("b = Shape(d)"),
            Node("n = Slice(b, first, two)"), Node("t = Concat(n, h)", AttributeProto.Of("axis", 0L)), Node("e = Sigmoid(d)"), Node("y = Resize(e, , , t)", AttributeProto.Of("mode", "linear"))).With(Weights);
        ModelGraph graph = ModelGraph.Read(model);
        Assert.Equal(["c", "d", "e"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
        DemandSameBits(graph);
        // Where the batch is fixed too, nothing needs be computed.
        ModelGraph one = ModelGraph.Read(model with { Graph = model.Graph with { Inputs = [Input("x", 1, 3, 8, 8)] } });
        Assert.Equal(2, GraphCutter.Split(one, ["e"]).Back.Graph.Nodes.Count(node => node.OpType == "Constant"));
        DemandSameBits(one);
    }

    [Fact]
    public void Parts_of_a_shape_and_the_number_of_elements_are_told()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("s = Shape(x)", AttributeProto.Of("start", -2L), AttributeProto.Of("end", 1L)), Node("k = Size(x)"), Node("l = Cast(k)", AttributeProto.Of("to", 1L)),
            Node("b = Softmax(a)"), Node("t = Concat(s, two, two)", AttributeProto.Of("axis", 0L)), Node("r = Reshape(b, t)"), Node("y = Mul(r, l)"))
            .With(Random("m", 1, 4, 4), TensorProto.Of("two", [1], [2L])));
        Assert.Equal(["a", "b"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]).Take(2));
        DemandSameBits(graph);
    }

    [Fact]
    public void Behind_a_cut_that_does_not_tell_the_batch_it_cannot_be_asked_for()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("b = ReduceMean(a)", AttributeProto.Of("axes", [0L])), Node("c = Sigmoid(b)"), Node("s = Shape(x)"), Node("e = Expand(c, s)"), Node("y = Relu(e)"))
            .With(Random("m", 1, 4, 4)));
        Assert.Equal(["a", "e"], CutFinder.Find(graph, 2).Select(cut => string.Join(' ', cut.Tensors)));
        GraphException refused = Assert.Throws<GraphException>(() => GraphCutter.Split(graph, ["c"]));
        Assert.Equal(GraphError.NotACut, refused.Error);
        Assert.Contains("how many items", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s = Shape(f)")]
    [InlineData("s = Size(q)")]
    public void A_shape_that_is_not_in_proportion_to_the_batch_counts_as_what_it_is_the_shape_of(string told)
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("t = Transpose(a)"), Node("q = MatMul(a, t)"), Node("f = Reshape(q, rest)"), Node(told), Node("k = Cast(s)", AttributeProto.Of("to", 1L)),
            Node("b = Softmax(a)"), Node("y = Mul(b, k)")).With(Random("m", 1, 4, 4), TensorProto.Of("rest", [1], [-1L])));
        Assert.Equal(["a"], CutFinder.Find(graph, 1).Select(cut => cut.Tensors[0]));
        Assert.Contains("passes beside", Assert.Throws<GraphException>(() => graph.Cut(["b"])).Message, StringComparison.Ordinal);
        DemandSameBits(graph);
    }

    [Fact]
    public void Where_only_a_shape_that_is_read_keeps_operators_from_being_folded_bits_are_not_promised()
    {
        // The whole cannot fold the addition into the convolution, as Shape reads between them; FrontNet, without Shape, can.
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 16, 16)], ["y"],
            Node("a = Conv(x, w)"), Node("r = Relu(a)"), Node("c = Conv(r, v, bias)"), Node("s = Shape(c)"), Node("b = Mul(c, k)"), Node("d = Softmax(b)"), Node("e = Conv(d, v)"), Node("y = Reshape(e, s)"))
            .With(Random("w", 1, 4, 3, 3, 3), Random("v", 2, 4, 4, 1, 1), Random("k", 3, 1, 4, 1, 1), Random("bias", 4, 4)));
        Cut cut = Assert.Single(CutFinder.Find(graph), cut => cut.Tensors[0] == "d");
        Assert.False(cut.KeepsBits);
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 2);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.InRange(Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic)), double.Epsilon, 1e-5);
    }

    [Fact]
    public void Names_that_a_part_writes_meet_none_of_the_graphs()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"],
            Node("a = MatMul(x, m)"), Node("s = Shape(x)"), Node("s/told/size = Sigmoid(a)"), Node("b = Softmax(s/told/size)"), Node("y = Expand(b, s)")).With(Random("m", 1, 4, 4)));
        DemandSameBits(graph);
        PartitionedModel parts = GraphCutter.Split(graph, ["s/told/size"]);
        string[] made = [.. parts.Back.Graph.Nodes.SelectMany(node => node.Outputs)];
        Assert.Equal(made.Length, made.Distinct().Count());
        Assert.DoesNotContain("s/told/size", made);
    }

    private static void DemandSameBits(ModelGraph graph)
    {
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 3);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.All(CutFinder.Find(graph, 2), cut =>
        {
            Assert.True(cut.KeepsBits);
            Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic)));
        });
    }
}
