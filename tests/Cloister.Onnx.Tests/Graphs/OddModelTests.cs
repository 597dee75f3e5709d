using System.Runtime.InteropServices;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>Models as files have them and textbooks do not: each is cut right, or refused for what it is.</summary>
public sealed class OddModelTests
{
    private static readonly TensorProto M = Random("m", 1, 4, 4);

    [Fact]
    public void An_output_that_is_left_out_does_not_tie_a_dead_node_to_an_input_that_is_left_out()
    {
        // The dead pool leaves its places out, and Clip its lower bound: both have the empty name.
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 1, 4, 4)], ["y"],
            Node("a = Sin(x)"), Node("b = MatMul(a, m)"), Node("dead,  = MaxPool(a)", AttributeProto.Of("kernel_shape", 2L, 2L)), Node("c = Clip(b, , top)"), Node("y = MatMul(c, m)"))
            .With(M, TensorProto.Of("top", [], [1f])));
        Assert.Equal(["b", "c"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
        Assert.False(graph.Nodes[2].OnTheWay);
        DemandSameBits(graph);
    }

    [Fact]
    public void An_output_that_is_left_out_makes_no_language_model()
    {
        // A picture's class is looked up; what is left out there and in Clip is not the same value.
        NodeProto[] nodes =
        [
            Node("l = Gather(table, ids)"), Node("lost,  = Dropout(l)"), Node("h = MatMul(x, m)"), Node("c = Clip(h, , top)"),
            Node("t = Transpose(c)", AttributeProto.Of("perm", 1L, 0L)), Node("q = MatMul(c, t)"), Node("s = Softmax(q)"), Node("d = Clip(s, , top)"), Node("y = MatMul(d, c)"),
        ];
        ModelGraph graph = ModelGraph.Read(Of([Input("x", 3, 4), ValueInfoProto.Tensor("ids", TensorDataType.Int64, 3)], ["y"], nodes).With(M, Random("table", 2, 9, 4), TensorProto.Of("top", [], [1f])));
        Assert.False(graph.IsLanguageModel, graph.LanguageModelReason);
        Assert.Contains("h", CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
    }

    [Fact]
    public void Dropout_that_trains_draws_random_numbers()
    {
        foreach ((bool training, bool listed) in new[] { (true, false), (false, false), (false, true) })
        {
            ModelProto model = Of([Input("x", "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("b = Dropout(a, ratio, training)"), Node("y = MatMul(b, m)")).With(
                M, TensorProto.Of("ratio", [], [0.5f]), new TensorProto { Name = "training", DataType = TensorDataType.Bool, RawData = new byte[] { training ? (byte)1 : (byte)0 } });
            if (listed)
                model = model with { Graph = model.Graph with { Inputs = [.. model.Graph.Inputs, ValueInfoProto.Tensor("training", TensorDataType.Bool)] } };
            if (training || listed)
                Assert.Equal(GraphError.NotDeterministic, Assert.Throws<GraphException>(() => ModelGraph.Read(model)).Error);
            else
                DemandSameBits(ModelGraph.Read(model));
        }
    }

    [Fact]
    public void A_sparse_constant_is_refused_as_sparse_weights_are()
    {
        // AttributeProto.sparse_tensor is field 22.
        var sparse = new AttributeProto { Name = "sparse_value", Type = (AttributeType)11, UnknownFields = new byte[] { 0xB2, 0x01, 0x00 } };
        ModelProto model = Of([Input("x", "N", 4)], ["y"], Node("c = Constant()") with { Attributes = [sparse] }, Node("a = MatMul(x, m)"), Node("y = Sum(a, c)")).With(M);
        GraphException refused = Assert.Throws<GraphException>(() => ModelGraph.Read(model));
        Assert.Equal(GraphError.UnknownOperator, refused.Error);
        Assert.Contains("sparse", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_a_Constant_that_lie_elsewhere_are_refused()
    {
        var elsewhere = new TensorProto { Name = "c", DataType = TensorDataType.Float, Dims = [4], DataLocation = 1, ExternalData = [new() { Key = "location", Value = "c.bin" }] };
        ModelProto model = Of([Input("x", "N", 4)], ["y"], Node("c = Constant()", AttributeProto.Of("value", elsewhere)), Node("a = MatMul(x, m)"), Node("y = Sum(a, c)")).With(M);
        Assert.Equal(GraphError.ExternalWeights, Assert.Throws<GraphException>(() => ModelGraph.Read(model)).Error);
    }

    [Theory]
    [InlineData("with a space")]
    [InlineData("with,comma;and\"quotes\"")]
    [InlineData("line\nbreak")]
    [InlineData("größe/层:0")]
    [InlineData("😀")]
    [InlineData("front")]
    public void Names_may_be_anything(string name)
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x" + name, "N", 4)], [name + "y"],
            new NodeProto { OpType = "MatMul", Inputs = ["x" + name, "m" + name], Outputs = [name] }, new NodeProto { OpType = "Softmax", Name = name, Inputs = [name], Outputs = [name + "y"] })
            .With(Random("m" + name, 1, 4, 4)));
        Assert.Equal(name, Assert.Single(Assert.Single(CutFinder.Find(graph)).Tensors));
        DemandSameBits(graph);
    }

    [Fact]
    public void A_name_that_ends_early_is_refused_as_it_would_be_read_as_another()
    {
        ModelProto model = Of([Input("x", "N", 4)], ["y"], Node("a = Sigmoid(x)"),
            new NodeProto { OpType = "MatMul", Inputs = ["x", "m"], Outputs = ["a\0b"] }, new NodeProto { OpType = "Sum", Inputs = ["a\0b", "a"], Outputs = ["y"] }).With(M);
        GraphException refused = Assert.Throws<GraphException>(() => ModelGraph.Read(model));
        Assert.Equal(GraphError.NotAGraph, refused.Error);
        Assert.DoesNotContain('\0', refused.Message);
    }

    [Fact]
    public void Quantised_networks_are_cut_where_their_bits_stay()
    {
        // A convolution between DequantizeLinear and QuantizeLinear, its weights quantised too: what quantising tools write.
        static TensorProto Bytes(string name, int seed, params long[] shape)
        {
            byte[] values = new byte[shape.Aggregate(1L, (product, size) => product * size)];
            new Random(seed).NextBytes(values);
            return new TensorProto { Name = name, DataType = TensorDataType.Int8, Dims = [.. shape], RawData = values };
        }

        TensorProto[] weights =
        [
            Bytes("w", 1, 4, 3, 3, 3), Bytes("v", 2, 4, 4, 3, 3), TensorProto.Of("s", [], [0.02f]), TensorProto.Of("t", [], [0.7f]),
            new TensorProto { Name = "z", DataType = TensorDataType.Int8, RawData = new byte[] { 3 } }, new TensorProto { Name = "z0", DataType = TensorDataType.Int8, RawData = new byte[] { 0 } },
        ];
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 12, 12)], ["y"],
            Node("q0 = QuantizeLinear(x, s, z)"), Node("d0 = DequantizeLinear(q0, s, z)"), Node("dw = DequantizeLinear(w, s, z0)"), Node("c0 = Conv(d0, dw)"), Node("r0 = Relu(c0)"),
            Node("q1 = QuantizeLinear(r0, t, z)"), Node("d1 = DequantizeLinear(q1, t, z)"), Node("p = MaxPool(d1)", AttributeProto.Of("kernel_shape", 2L, 2L)),
            Node("q2 = QuantizeLinear(p, t, z)"), Node("d2 = DequantizeLinear(q2, t, z)"), Node("dv = DequantizeLinear(v, s, z0)"), Node("c1 = Conv(d2, dv)"),
            Node("q3 = QuantizeLinear(c1, t, z)"), Node("d3 = DequantizeLinear(q3, t, z)"), Node("g = GlobalAveragePool(d3)"), Node("y = Flatten(g)")).With(weights));
        Assert.Equal(["c0", "r0", "q1", "d1", "p", "q2", "d2", "c1", "q3", "d3", "g"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
        Assert.Equal(4 * 10 * 10, graph.Cut(["q1"]).BoundaryBytes);
        DemandSameBits(graph);
    }

    [Fact]
    public void Both_names_of_ONNXs_own_operators_and_domains_that_nothing_uses_may_be_imported()
    {
        ModelProto model = Of([Input("x", "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("b = QuickGelu(a)") with { Domain = "com.microsoft" }, Node("y = Softmax(b)") with { Domain = "ai.onnx" }).With(M)
            with { OpsetImport = [new() { Domain = "com.microsoft", Version = 1 }, new() { Domain = "ai.onnx", Version = 17 }, new() { Domain = "ai.onnx.ml", Version = 3 }] };
        ModelGraph graph = ModelGraph.Read(model);
        PartitionedModel parts = GraphCutter.Split(graph, ["b"]);
        Assert.Equal(["com.microsoft", "ai.onnx"], parts.Front.OpsetImport.Select(set => set.Domain));
        Assert.Equal(["ai.onnx"], parts.Back.OpsetImport.Select(set => set.Domain));
        DemandSameBits(graph);
    }

    [Fact]
    public void Weights_that_an_old_model_does_not_list_as_inputs_and_ones_that_a_new_model_does()
    {
        ModelProto model = Of([Input("x", "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("b = Softmax(a)"), Node("y = MatMul(b, m)")).With(M);
        DemandSameBits(ModelGraph.Read(model with { IrVersion = 3 }));
        ModelGraph listed = ModelGraph.Read(model with { Graph = model.Graph with { Inputs = [Input("m", 4, 4), .. model.Graph.Inputs] } });
        Assert.Equal(["x"], listed.Inputs.Select(input => input.Name));
        Assert.Equal(["b", "m"], GraphCutter.Split(listed, ["b"]).Back.Graph.Inputs.Select(input => input.Name));
        DemandSameBits(listed);
    }

    [Fact]
    public void Where_a_node_that_nothing_needs_keeps_operators_from_being_folded_bits_are_not_promised()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 16, 16)], ["y"],
            Node("a = Conv(x, w)"), Node("r = Relu(a)"), Node("c = Conv(r, v, bias)"), Node("dead = Sigmoid(c)"), Node("b = Mul(c, k)"), Node("d = Softmax(b)"), Node("y = Conv(d, v)"))
            .With(Random("w", 1, 4, 3, 3, 3), Random("v", 2, 4, 4, 1, 1), Random("k", 3, 1, 4, 1, 1), Random("bias", 4, 4)));
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 2);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Cut cut = graph.Cut(["d"]);
        Assert.False(cut.KeepsBits);
        Assert.InRange(Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic)), double.Epsilon, 1e-5);
    }

    [Fact]
    public void Where_a_file_computes_twice_what_the_whole_computes_once_bits_are_not_promised()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 16, 16)], ["y"],
            Node("a = Conv(x, w)"), Node("r = Relu(a)"), Node("c = Conv(r, v, bias)"), Node("one = Mul(c, k)"), Node("other = Mul(c, k)"), Node("d = Softmax(other)"), Node("y = Sum(one, d)"))
            .With(Random("w", 1, 4, 3, 3, 3), Random("v", 2, 4, 4, 1, 1), Random("k", 3, 1, 4, 1, 1), Random("bias", 4, 4)));
        Assert.False(graph.Cut(["one", "d"]).KeepsBits);
        Assert.All(CutFinder.Find(graph, 2), cut => Assert.False(cut.KeepsBits));
    }

    [Fact]
    public void An_output_that_is_read_on_keeps_cuts_before_it()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["features", "y"],
            Node("a = MatMul(x, m)"), Node("features = Softmax(a)"), Node("b = MatMul(features, m)"), Node("y = Sigmoid(b)")).With(M));
        Assert.Equal(["a"], CutFinder.Find(graph, 3).Select(cut => string.Join(' ', cut.Tensors)));
        Assert.Contains("features passes beside", Assert.Throws<GraphException>(() => graph.Cut(["b"])).Message, StringComparison.Ordinal);
        DemandSameBits(graph);
    }

    [Theory]
    [InlineData("BFloat16")]
    [InlineData("Double")]
    public void Other_floats_are_cut_or_refused_by_what_runs_them(string type)
    {
        TensorDataType element = Enum.Parse<TensorDataType>(type);
        int width = element == TensorDataType.Double ? 8 : 2;
        byte[] values = new byte[16 * width];
        if (element == TensorDataType.Double)
            MemoryMarshal.Cast<byte, double>(values.AsSpan()).Fill(0.25);
        ModelProto model = Of([ValueInfoProto.Tensor("x", element, "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("y = Softmax(a)"))
            .With(new TensorProto { Name = "m", DataType = element, Dims = [4, 4], RawData = values });
        if (element == TensorDataType.Double)
            Assert.True(PartsComparison.Run(ModelGraph.Read(model), GraphCutter.Split(ModelGraph.Read(model), ["a"])).SameBits);
        else
            Assert.Throws<OnnxRuntimeException>(() => ModelGraph.Read(model));
    }

    [Fact]
    public void Fifty_thousand_nodes_one_behind_the_other_are_cut_without_recursion()
    {
        const int Count = 50_000;
        ModelGraph graph = Measured(i => i == 0 ? "v0 = MatMul(x, m)" : $"v{i} = Softmax(v{i - 1})", Count);
        Assert.Equal(Count - 1, CutFinder.Find(graph).Length);
        Assert.Equal(Count / 2 + 1, GraphCutter.Split(graph, [$"v{Count / 2}"]).Front.Graph.Nodes.Length);
        Assert.Equal(GraphError.NotACut, Assert.Throws<GraphException>(() => graph.Cut(["m"])).Error);
    }

    [Fact]
    public void A_row_of_reshapes_is_not_looked_along_from_each_of_them()
    {
        // What was looked along from every value grew with the square, and did not end.
        const int Count = 20_000;
        ModelGraph row = Measured(i => i == 0 ? "v0 = MatMul(x, m)" : i < Count / 2 ? $"v{i} = Transpose(v{i - 1})" : $"v{i} = Softmax(v{i - 1})", Count);
        Assert.Equal(Count / 2 - 1, CutFinder.Find(row).Length);
        Assert.False(row.Cut([$"v{Count / 4}"]).KeepsBits);
    }

    private static ModelGraph Measured(Func<int, string> node, int count)
    {
        ModelProto model = Of([Input("x", "N", 4)], [$"v{count - 1}"], [.. Enumerable.Range(0, count).Select(i => Node(node(i)))]).With(M);
        var values = Enumerable.Range(0, count).ToDictionary(i => $"v{i}", _ => new MeasuredValue(TensorElementType.Float, [1, 4], [2, 4]));
        values.Add("x", new(TensorElementType.Float, [1, 4], [2, 4]));
        values.Add("m", new(TensorElementType.Float, [4, 4], [4, 4]));
        return ModelGraph.Of(GraphStructure.Read(model), new MeasuredValues(values, "N"));
    }

    private static void DemandSameBits(ModelGraph graph)
    {
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: graph.HasBatch ? 3 : 1);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.All(CutFinder.Find(graph, 2), cut =>
            Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic))));
    }
}
