using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Tests;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

public sealed class GraphRefusalTests
{
    private static readonly ValueInfoProto X = Input("x", "N", 4);

    private static readonly TensorProto M = Random("m", 1, 4, 4);

    [Fact]
    public void Numbers_of_refusals_are_stable() => Assert.Equal(
        [
            (301, GraphError.NotAGraph), (302, GraphError.ControlFlow), (303, GraphError.UnknownOperator), (304, GraphError.DynamicShape), (305, GraphError.NotACut),
            (306, GraphError.LeaksInput), (307, GraphError.LanguageModel), (308, GraphError.ExternalWeights), (309, GraphError.NotDeterministic), (310, GraphError.TooLarge),
        ],
        Enum.GetValues<GraphError>().Select(error => ((int)error, error)));

    [Theory]
    [InlineData("itself", "a = MatMul(a, m)", "y = Relu(a)")]
    [InlineData("later", "a = Sum(x, b)", "b = Relu(a)", "y = Relu(b)")]
    [InlineData("later", "y = Relu(a)", "a = Relu(x)")]
    [InlineData("nothing makes", "y = Sum(x, nobody)")]
    [InlineData("made twice", "a = Relu(x)", "a = Sigmoid(x)", "y = Relu(a)")]
    [InlineData("made twice", "x = Relu(x)", "y = Relu(x)")]
    [InlineData("made twice", "m = Relu(x)", "y = Relu(m)")]
    [InlineData("made twice", "a, a = Split(x)", "y = Relu(a)")]
    [InlineData("Nothing makes the output", "a = Relu(x)")]
    [InlineData("depends on an input", "y = Relu(m)")]
    public void What_is_no_graph(string says, params string[] nodes) =>
        Refused(GraphError.NotAGraph, says, Of([X], ["y"], [.. nodes.Select(node => Node(node))]).With(M));

    [Fact]
    public void Lists_that_name_something_twice_or_nothing()
    {
        NodeProto relu = Node("y = Relu(x)");
        Refused(GraphError.NotAGraph, "listed twice", Of([X, X], ["y"], relu));
        Refused(GraphError.NotAGraph, "listed twice", Of([X], ["y", "y"], relu));
        Refused(GraphError.NotAGraph, "made twice", Of([X], ["y"], relu).With(M, M));
        Refused(GraphError.NotAGraph, "no name", Of([X, Input("", 1)], ["y"], relu));
        Refused(GraphError.NotAGraph, "no output", Of([X], [], relu));
        Refused(GraphError.NotAGraph, "is an input or a weight", Of([X], ["x"], relu));
        Refused(GraphError.NotAGraph, "is an input or a weight", Of([X], ["y", "m"], relu).With(M));
    }

    [Fact]
    public void Graphs_inside_and_values_that_are_no_tensors()
    {
        GraphProto body = Of([X], ["b"], Node("b = Relu(x)")).Graph;
        var inside = new AttributeProto { Name = "body", Type = AttributeType.Graph, Graph = body };
        Refused(GraphError.ControlFlow, "Loop", Of([X], ["y"], Node("y = Loop(x)", inside)));
        Refused(GraphError.ControlFlow, "Scan", Of([X], ["y"], Node("y = Scan(x)", inside)));
        Refused(GraphError.ControlFlow, "If", Of([X], ["y"], Node("y = If(x)", inside with { Name = "then_branch" }, inside with { Name = "else_branch" })));
        Refused(GraphError.ControlFlow, "If", Of([X], ["y"], Node("y = If(x)")));
        Refused(GraphError.ControlFlow, "Relu", Of([X], ["y"], Node("y = Relu(x)", new AttributeProto { Name = "g", Graphs = [body] })));
        Refused(GraphError.ControlFlow, "SequenceConstruct", Of([X], ["y"], Node("s = SequenceConstruct(x, x)"), Node("y = ConcatFromSequence(s)")));
        Refused(GraphError.ControlFlow, "not a tensor", Of([new ValueInfoProto { Name = "x" }], ["y"], Node("y = Relu(x)")));
    }

    [Fact]
    public void Operators_that_are_not_known()
    {
        Refused(GraphError.UnknownOperator, "Frobnicate", Of([X], ["y"], Node("y = Frobnicate(x)")));
        Refused(GraphError.UnknownOperator, "com.example", Of([X], ["y"], Node("y = Relu(x)") with { Domain = "com.example" }));
        Refused(GraphError.UnknownOperator, "'last'", Of([X], ["y"], Node("y = Relu(x)") with { Domain = "com.microsoft", Name = "last" }));
        // ONNX Runtime would take its newest version, as long as any domain at all is named.
        ModelProto relu = Of([X], ["y"], Node("y = Relu(x)"));
        Refused(GraphError.UnknownOperator, "which version", relu with { OpsetImport = [] });
        Refused(GraphError.UnknownOperator, "which version", relu with { OpsetImport = [new() { Domain = "com.microsoft", Version = 1 }] });
        Refused(GraphError.UnknownOperator, "twice", relu with { OpsetImport = [new() { Version = 17 }, new() { Domain = "ai.onnx", Version = 13 }] });
        // ModelProto.functions, NodeProto.overload, GraphProto.sparse_initializer: fields 25, 8 and 15 of onnx.proto.
        ModelProto plain = Of([X], ["y"], Node("y = Relu(x)"));
        Refused(GraphError.UnknownOperator, "functions", plain with { UnknownFields = new byte[] { 0xCA, 0x01, 0x00 } });
        Refused(GraphError.UnknownOperator, "Relu", Of([X], ["y"], Node("y = Relu(x)") with { UnknownFields = new byte[] { 0x42, 0x01, (byte)'a' } }));
        Refused(GraphError.UnknownOperator, "sparse", plain with { Graph = plain.Graph with { UnknownFields = new byte[] { 0x7A, 0x00 } } });
        Refused(GraphError.UnknownOperator, "Float4E2M1", Of([ValueInfoProto.Tensor("x", TensorDataType.Float4E2M1, 1, 4)], ["y"], Node("y = Identity(x)")));
    }

    [Fact]
    public void Random_numbers_and_weights_elsewhere()
    {
        Refused(GraphError.NotDeterministic, "RandomNormalLike", Of([X], ["y"], Node("r = RandomNormalLike(x)"), Node("y = Sum(x, r)")));
        Refused(GraphError.ExternalWeights, "'w.bin'", Of([X], ["y"], Node("y = MatMul(x, m)")).With(new TensorProto
        {
            Name = "m", DataType = TensorDataType.Float, Dims = [4, 4], DataLocation = 1, ExternalData = [new() { Key = "location", Value = "w.bin" }],
        }));
    }

    [Fact]
    public void Shapes_that_are_not_settled()
    {
        ModelProto free = Of([Input("x", "N", "T", 4)], ["y"], Node("a = MatMul(x, m)"), Node("y = ReduceMean(a)", AttributeProto.Of("axes", [1L]))).With(M);
        Refused(GraphError.DynamicShape, "'T'", free);
        Assert.Equal([1, 7, 4], ModelGraph.Read(free, Shape("x", 1, 7, 4)).Values["a"].Shape.ToArray());
        Assert.True(ModelGraph.Read(free, Shape("x", -1, 7, 4)).HasBatch);
        Assert.False(ModelGraph.Read(free, Shape("x", 3, 7, 4)).HasBatch);
        Assert.Throws<ArgumentException>(() => ModelGraph.Read(free, Shape("x", 1, 7)));
        Assert.Throws<ArgumentException>(() => ModelGraph.Read(free, Shape("x", 1, 7, 5)));
        Assert.Throws<ArgumentException>(() => ModelGraph.Read(free, Shape("x", 1, -1, 4)));
        Assert.Throws<ArgumentException>(() => ModelGraph.Read(free, Shape("z", 1, 7, 4)));
        Refused(GraphError.DynamicShape, "no shape", Of([new ValueInfoProto { Name = "x", Type = new TypeProto { TensorType = new() { ElementType = TensorDataType.Float } } }], ["y"], Node("y = Relu(x)")));
        Refused(GraphError.DynamicShape, "NonZero", Of([X], ["y"], Node("y = NonZero(x)")));
        Refused(GraphError.TooLarge, "elements", Of([Input("x", "N", 1 << 20, 1 << 20)], ["y"], Node("y = Relu(x)")));
        Refused(GraphError.TooLarge, "elements", Of([Input("x", "N", 1 << 26)], ["y"], [.. Enumerable.Range(0, 17).Select(i => Node($"v{i} = Relu({(i == 0 ? "x" : $"v{i - 1}")})")), Node("y = Relu(v16)")]));
    }

    [Theory]
    [InlineData("s = Reshape(x, k)")]
    [InlineData("s = Expand(x, k)")]
    [InlineData("s = Tile(x, k)")]
    [InlineData("s = ConstantOfShape(k)")]
    [InlineData("s = Slice(x, zeros, k)")]
    [InlineData("s = ReduceSum(x, k)")]
    public void What_an_input_holds_may_not_say_how_large_anything_is(string node)
    {
        // On zeros each of them runs, and its shape would be taken for every input's.
        ModelProto model = Of([X], ["y"], Node("i = Cast(x)", AttributeProto.Of("to", 7L)), Node("r = Reshape(i, four)"), Node("h = Slice(r, zero, two)"), Node("k = Clip(h, one, one)"), Node(node), Node("y = Relu(s)"))
            .With(TensorProto.Of("four", [1], [4L]), TensorProto.Of("zero", [1], [0L]), TensorProto.Of("two", [1], [2L]), TensorProto.Of("one", [], [1L]), TensorProto.Of("zeros", [2], [0L, 0]));
        Refused(GraphError.DynamicShape, "depends on what the input holds", model);
    }

    [Fact]
    public void Models_that_only_onnx_runtime_can_refuse()
    {
        Assert.Throws<OnnxRuntimeException>(() => ModelGraph.Read(Of([X], ["y"], Node("y = MatMul(x, m)")).With(Random("m", 1, 5, 4))));
        Assert.Throws<OnnxRuntimeException>(() => ModelGraph.Read(Of([X], ["y"], Node("y = MatMul(x)"))));
    }

    [Theory]
    [InlineData(GraphError.NotACut, "no tensor 'z'", "z")]
    [InlineData(GraphError.NotACut, "No tensor is named")]
    [InlineData(GraphError.NotACut, "does not depend", "m")]
    [InlineData(GraphError.NotACut, "an output", "y")]
    [InlineData(GraphError.NotACut, "No output depends", "dead")]
    [InlineData(GraphError.NotACut, "named twice", "a", "a")]
    [InlineData(GraphError.NotACut, "x -> side -> y passes beside", "b")]
    [InlineData(GraphError.NotACut, "passes beside", "side")]
    [InlineData(GraphError.NotACut, "'b' is one too many", "a", "b", "side")]
    [InlineData(GraphError.LeaksInput, "'x' is an input", "x")]
    [InlineData(GraphError.LeaksInput, "'moved'", "b", "moved")]
    public void Tensors_that_are_no_cut(GraphError error, string says, params string[] tensors)
    {
        ModelGraph graph = ModelGraph.Read(Of([X], ["y"],
            Node("a = MatMul(x, m)"), Node("moved = Neg(x)"), Node("side = MatMul(x, m)"), Node("b = MatMul(a, m)"), Node("dead = Softmax(a)"), Node("y = Sum(b, side)")).With(M));
        Says(error, says, Assert.Throws<GraphException>(() => graph.Cut(tensors)));
        Says(error, says, Assert.Throws<GraphException>(() => GraphCutter.Split(graph, tensors)));
        Assert.Equal(["b", "side"], graph.Cut(["side", "b"]).Tensors.Order());
    }

    [Fact]
    public void Second_cuts_that_do_not_come_after_the_first()
    {
        ModelGraph graph = ModelGraph.Read(Of([X], ["y"], Node("a = MatMul(x, m)"), Node("b = MatMul(a, m)"), Node("c = MatMul(b, m)"), Node("d = MatMul(b, m)"), Node("y = Sum(c, d)")).With(M));
        Says(GraphError.NotACut, "does not come after", Assert.Throws<GraphException>(() => GraphCutter.Split(graph, ["b"], ["a"])));
        Says(GraphError.NotACut, "in both cuts", Assert.Throws<GraphException>(() => GraphCutter.Split(graph, ["b"], ["b"])));
        Says(GraphError.NotACut, "passes beside", Assert.Throws<GraphException>(() => GraphCutter.Split(graph, ["b"], ["c"])));
        Assert.Equal(2, GraphCutter.Split(graph, ["b"], ["c", "d"]).Back.Graph.Nodes.Length);
    }

    [Theory]
    [InlineData("s = Concat(c, t)", "t = Transpose(x)")]
    [InlineData("s = Concat(c, t)", "t = Mul(x, k)")]
    [InlineData("s = Concat(c, t)", "t = Sigmoid(x)")]
    public void An_input_that_passes_beside_the_layers_is_never_crossed_in_the_clear(string join, string moved)
    {
        // The convolution's result and the input side by side: whoever has the join has the input.
        NodeProto axis = Node(join, AttributeProto.Of("axis", 1L));
        NodeProto side = moved.Contains("Transpose", StringComparison.Ordinal) ? Node(moved, AttributeProto.Of("perm", [0L, 1, 2, 3])) : Node(moved);
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 8, 8)], ["y"], Node("c = Conv(x, w)"), side, axis, Node("d = Conv(s, w2)"), Node("y = Relu(d)"))
            .With(Random("w", 1, 3, 3, 1, 1), Random("w2", 2, 4, 6, 3, 3), Random("k", 3, 3, 1, 1)));
        Assert.Equal(["d"], CutFinder.Find(graph, 3).Select(cut => string.Join(' ', cut.Tensors)));
        Says(GraphError.LeaksInput, "'s'", Assert.Throws<GraphException>(() => graph.Cut(["s"])));
        Says(GraphError.LeaksInput, "'t'", Assert.Throws<GraphException>(() => graph.Cut(["c", "t"])));
        Says(GraphError.NotACut, "passes beside", Assert.Throws<GraphException>(() => graph.Cut(["c"])));
    }

    [Theory]
    [InlineData("m = ReduceMean(x)", "s = Sub(x, m)")]
    [InlineData("m = ReduceMean(x)", "c = Sub(x, m)", "q = Mul(c, c)", "v = ReduceMean(q)", "d = Sqrt(v)", "s = Div(c, d)")]
    [InlineData("p = Conv(x, w)", "g = GlobalAveragePool(p)", "s = Mul(x, g)")]
    [InlineData("g = Greater(x, half)", "t = Mul(x, half)", "s = Where(g, x, t)")]
    [InlineData("s = ScatterND(zeros, place, x)")]
    [InlineData("s = AveragePool(x)")]
    [InlineData("s = Softmax(x)")]
    [InlineData("g = Less(x, half)", "s = Cast(g)")]
    public void An_input_by_its_own_mean_its_gate_its_sign_or_made_smaller_is_still_the_input(params string[] nodes)
    {
        // Standardising a picture by itself is the first thing that many networks do.
        ModelGraph graph = ModelGraph.Read(Of([Input("x", 1, 3, 8, 8)], ["y"],
            [
                .. nodes.Select(node => node switch
                {
                    _ when node.Contains("AveragePool(x", StringComparison.Ordinal) && !node.Contains("Global", StringComparison.Ordinal) => Node(node, AttributeProto.Of("kernel_shape", 2L, 2L), AttributeProto.Of("strides", 2L, 2L)),
                    _ when node.Contains("Cast", StringComparison.Ordinal) => Node(node, AttributeProto.Of("to", 1L)),
                    _ => Node(node),
                }),
                Node("z = Conv(s, w)"), Node("y = Relu(z)"),
            ]).With(Random("w", 1, 3, 3, 1, 1), TensorProto.Of("half", [], [0.5f]), TensorProto.Of("place", [1, 1], [0L]), Random("zeros", 2, 1, 3, 8, 8)));
        Assert.Equal(["z"], CutFinder.Find(graph, 2).Select(cut => string.Join(' ', cut.Tensors)));
        Says(GraphError.LeaksInput, "'s'", Assert.Throws<GraphException>(() => graph.Cut(["s"])));
    }

    [Fact]
    public void What_is_left_of_an_input_in_a_few_numbers_is_not_the_input()
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", 1, 1, 32, 32)], ["y"], Node("p = AveragePool(x)", AttributeProto.Of("kernel_shape", 16L, 16L), AttributeProto.Of("strides", 16L, 16L)), Node("f = Flatten(p)"), Node("a = MatMul(f, m)"), Node("y = Softmax(a)")).With(M));
        Assert.Equal(["p", "f", "a"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
    }

    [SharedDataFact]
    public void Language_models_are_refused_and_text_classifiers_are_not()
    {
        ModelProto stories = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/llm/stories260K.onnx")));
        Refused(GraphError.LanguageModel, "attention", stories);
        // Three tokens are in its cache, four are new: whatever is free takes one of these.
        Dictionary<string, long[]> shapes = stories.Graph.Inputs.Where(input => stories.Graph.Initializers.All(weight => weight.Name != input.Name)).ToDictionary(
            input => input.Name,
            input => input.Type!.TensorType!.Shape!.Dimensions.Select((dimension, i) => dimension.Value ?? (i == 0 ? 1 : input.Name.EndsWith("_ids", StringComparison.Ordinal) ? 4 : 3)).ToArray());
        ModelGraph graph = ModelGraph.Read(stories, shapes);
        Assert.True(graph.IsLanguageModel);
        string inner = graph.Nodes[graph.Nodes.Length / 2].Proto.Outputs[0];
        foreach (Action act in (Action[])[() => CutFinder.Find(graph), () => graph.Cut([inner]), () => GraphCutter.Split(graph, [inner])])
            Says(GraphError.LanguageModel, "token", Assert.Throws<GraphException>(act));
        Assert.False(ModelGraph.Read(OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/text/sentiment-movie-review.onnx")))).IsLanguageModel);
    }

    [Fact]
    public void A_model_with_an_output_for_every_token_is_a_language_model()
    {
        ModelProto tagger = Of([ValueInfoProto.Tensor("ids", TensorDataType.Int64, "N", 6)], ["y"], Node("e = Gather(table, ids)"), Node("y = MatMul(e, m)")).With(Random("table", 1, 9, 4), M);
        Assert.Contains("every one", ModelGraph.Read(tagger).LanguageModelReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TensorDataType.Float, "t = Cast(ids)")]
    [InlineData(TensorDataType.UInt8, "t = Cast(ids)")]
    [InlineData(TensorDataType.String, "t = LabelEncoder(ids)")]
    public void Tokens_that_come_as_fractions_bytes_or_words_make_a_language_model_too(TensorDataType type, string read)
    {
        NodeProto reads = type == TensorDataType.String
            ? Node(read) with { Domain = "ai.onnx.ml", Attributes = [new AttributeProto { Name = "keys_strings", Type = AttributeType.Strings, Strings = ["a"u8.ToArray()] }, AttributeProto.Of("values_int64s", [1L])] }
            : Node(read, AttributeProto.Of("to", 7L));
        ModelProto tagger = Of([ValueInfoProto.Tensor("ids", type, "N", 6)], ["y"], reads, Node("e = Gather(table, t)"), Node("y = MatMul(e, m)")).With(Random("table", 1, 9, 4), M);
        ModelGraph graph = ModelGraph.Read(tagger with { OpsetImport = [.. tagger.OpsetImport, new() { Domain = "ai.onnx.ml", Version = 2 }] });
        Assert.Contains("'ids'", graph.LanguageModelReason, StringComparison.Ordinal);
        Assert.Equal(GraphError.LanguageModel, Assert.Throws<GraphException>(() => CutFinder.Find(graph)).Error);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ten_thousand_nodes_are_read_and_cut(bool residual)
    {
        const int Count = 10_000;
        NodeProto[] nodes = [.. Enumerable.Range(0, Count).Select(i => Node(
            i == 0 ? "v0 = MatMul(x, m)" : residual && i % 4 == 3 ? $"v{i} = Sum(v{i - 1}, v{i - 3})" : $"v{i} = Softmax(v{i - 1})"))];
        ModelGraph graph = ModelGraph.Read(Of([X], [$"v{Count - 1}"], nodes).With(M));
        var cuts = CutFinder.Find(graph, 3);
        Assert.Equal(residual ? Count / 2 - 1 : Count - 1, cuts.Length);
        Assert.Equal(Count / 2 + 1, GraphCutter.Split(graph, [$"v{Count / 2}"]).Front.Graph.Nodes.Length);
    }

    [Fact]
    public void Mutated_models_are_refused_as_documented_or_cut()
    {
        byte[][] seeds =
        [
            Of([Input("x", "N", 3, 8, 8)], ["y"], Node("a = Conv(x, w)"), Node("b = Relu(a)"), Node("c = Conv(b, v)"), Node("d = Sum(b, c)"), Node("g = GlobalAveragePool(d)"), Node("y = Flatten(g)"))
                .With(Random("w", 1, 4, 3, 3, 3), Random("v", 2, 4, 4, 1, 1)).ToBytes(),
            Of([X], ["y"], Node("a = Gemm(x, m)", AttributeProto.Of("transB", 1L)), Node("b = Tanh(a)"), Node("c = Concat(b, a)", AttributeProto.Of("axis", 1L)), Node("y = Softmax(c)")).With(M).ToBytes(),
            Of([X], ["y"], Node("a = MatMul(x, m)"), Node("s = Shape(x)"), Node("b = Clip(a, , top)"), Node("p,  = TopK(b, two)"), Node("t = Slice(s, zero, two)"), Node("d,  = Dropout(b)"), Node("y = Reshape(d, t)"))
                .With(M, TensorProto.Of("top", [], [1f]), TensorProto.Of("zero", [1], [0L]), TensorProto.Of("two", [1], [2L])).ToBytes(),
        ];
        var random = new Random(20);
        for (int i = 0; i < 1500; i++)
        {
            byte[] bytes = [.. seeds[i % seeds.Length]];
            for (int change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(bytes[random.Next(bytes.Length)] ^ 1 << random.Next(8));
            ModelGraph.Fuzz(bytes.AsSpan(0, random.Next(5) == 0 ? random.Next(bytes.Length) : bytes.Length));
        }
    }

    private static Dictionary<string, long[]> Shape(string name, params long[] shape) => new() { [name] = shape };

    private static void Refused(GraphError error, string says, ModelProto model) =>
        Says(error, says, Assert.Throws<GraphException>(() => ModelGraph.Read(model)));

    private static void Says(GraphError error, string says, GraphException refusal)
    {
        Assert.Equal(error, refusal.Error);
        Assert.Contains(says, refusal.Message, StringComparison.OrdinalIgnoreCase);
    }
}
