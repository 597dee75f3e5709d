using System.Text.Json;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Tests;
using Xunit.Abstractions;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>Front, back and tail, one after the other, are the whole.</summary>
public sealed class CompositionTests(ITestOutputHelper output)
{
    /// <summary>Of the largest number of an output; rounding differs where ONNX Runtime fuses or lays out anew on one side only.</summary>
    private const double WithinRounding = 1e-5;

    [SharedDataTheory]
    [InlineData("vision/squeezenet1.1-224")]
    [InlineData("vision/mobilenetv2-1.0-224")]
    [InlineData("vision/cifar10-resnet20")]
    [InlineData("vision/mnist")]
    [InlineData("light/light_inception_v1")]
    [InlineData("light/light_resnet50")]
    [InlineData("light/light_densenet121")]
    public void Parts_give_the_wholes_bits_at_basic_and_agree_within_rounding_at_all(string name)
    {
        ModelProto model = Parse(name);
        if (name.StartsWith("light/", StringComparison.Ordinal))
            model = Composition.Seeded(model);
        ModelGraph graph = ModelGraph.Read(model);
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
        OrtTensor[] basic = Composition.Whole(model, inputs, GraphOptimization.Basic), all = Composition.Whole(model, inputs, GraphOptimization.All);
        Assert.True(Composition.Doubles(basic[0]).Distinct().Count() > 5, "the answer must depend on the input for this to say anything");

        foreach ((Cut front, Cut? tail) in Pick(graph).Take(name.StartsWith("light/", StringComparison.Ordinal) ? 2 : 5))
        {
            Assert.True(front.KeepsBits);
            PartitionedModel parts = GraphCutter.Split(graph, front.Tensors, tail?.Tensors);
            Assert.Equal(0, Composition.Distance(basic, Composition.Parts(parts, inputs, GraphOptimization.Basic)));
            double distance = Composition.Distance(all, Composition.Parts(parts, inputs, GraphOptimization.All));
            output.WriteLine($"{string.Join('+', front.Tensors)}{(tail is null ? "" : " | " + string.Join('+', tail.Tensors))}: {distance:E1} at All");
            Assert.True(distance <= WithinRounding, $"{string.Join('+', front.Tensors)}: {distance}");
        }
    }

    [SharedDataFact]
    public void A_cut_rounds_half_precision_that_the_whole_computes_on_with()
    {
        // ONNX Runtime computes half precision in single precision on CPUs and rounds to half where a value leaves the graph: at the cut.
        ModelGraph graph = ModelGraph.Read(Parse("vision/SqueezeNet_fp16"));
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        foreach ((Cut front, Cut? tail) in Pick(graph))
        {
            Assert.False(front.KeepsBits);
            PartitionedModel parts = GraphCutter.Split(graph, front.Tensors, tail?.Tensors);
            Assert.Equal((3, 7), (parts.Back.IrVersion, parts.Back.OpsetImport[0].Version));
            Assert.All(parts.Back.Graph.Initializers, weight => Assert.Contains(parts.Back.Graph.Inputs, input => input.Name == weight.Name));
            OrtTensor[] composed = Composition.Parts(parts, inputs, GraphOptimization.Basic);
            double distance = Composition.Distance(whole, composed);
            output.WriteLine($"{string.Join('+', front.Tensors)}: {distance:E1}");
            Assert.InRange(distance, 0, 5e-3); // half precision has 11 bits: five units of its last place
            Assert.Equal(Best(whole[0]), Best(composed[0]));
        }
    }

    [SharedDataTheory]
    [InlineData("light_densenet121")]
    [InlineData("light_resnet50")]
    [InlineData("light_inception_v1")]
    public void Parts_give_the_golden_outputs_of_onnx(string name)
    {
        // Their weights are one value each, so that any input gives the golden; the seeded weights above are what would show a difference.
        ModelGraph graph = ModelGraph.Read(Parse("light/" + name));
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
        using OrtTensor golden = Golden(name);
        foreach ((Cut front, Cut? tail) in Pick(graph).Take(2))
        {
            OrtTensor[] composed = Composition.Parts(GraphCutter.Split(graph, front.Tensors, tail?.Tensors), inputs, GraphOptimization.All);
            Assert.InRange(Composition.Distance([golden], composed), 0, WithinRounding);
        }
    }

    [SharedDataTheory]
    [InlineData("squeezenet1.1-224", "bgr-mean", "cat")]
    [InlineData("mobilenetv2-1.0-224", "signed-unit", "parrot")]
    public void Parts_see_in_photos_what_the_whole_is_known_to_see(string name, string preprocess, string picture)
    {
        ModelGraph graph = ModelGraph.Read(Parse("vision/" + name));
        using var input = OrtTensor.Allocate<float>([1, 3, 224, 224]);
        Preprocessing.Parse(preprocess).ToTensor(PngReader.Read(File.ReadAllBytes(TestData.Path($"inputs/images224/{picture}.png"))), 3, 224, 224, input.Span<float>());
        var inputs = new Dictionary<string, OrtTensor> { [graph.Inputs[0].Name] = input };
        using var expected = JsonDocument.Parse(File.ReadAllBytes(TestData.Path($"models/vision/{name}.expected.json")));
        JsonElement[] wanted = [.. expected.RootElement.GetProperty("images").GetProperty(picture + ".png").EnumerateArray()];
        foreach ((Cut front, Cut? tail) in Pick(graph).Take(3))
        {
            double[] seen = Composition.Doubles(Composition.Parts(GraphCutter.Split(graph, front.Tensors, tail?.Tensors), inputs, GraphOptimization.All)[0]);
            Assert.Equal(wanted.Select(w => w.GetProperty("index").GetInt32()), Enumerable.Range(0, seen.Length).OrderByDescending(i => seen[i]).Take(wanted.Length));
            Assert.All(wanted, w => Assert.Equal(w.GetProperty("p").GetDouble(), seen[w.GetProperty("index").GetInt32()], 2e-4));
        }
    }

    [SharedDataFact]
    public void Parts_see_in_small_pictures_what_the_whole_is_known_to_see_several_at_once()
    {
        ModelGraph graph = ModelGraph.Read(Parse("vision/cifar10-resnet20"));
        using FileStream pictures = File.OpenRead(TestData.Path("inputs/cifar10/cifar10_test_2000.bin"));
        byte[] records = new byte[10 * 3073];
        pictures.ReadExactly(records);
        using var input = OrtTensor.Allocate<float>([10, 3, 32, 32]);
        float[] mean = [0.485f, 0.456f, 0.406f], deviation = [0.229f, 0.224f, 0.225f];
        for (int i = 0; i < 10; i++)
            for (int p = 0; p < 3072; p++)
                input.Span<float>()[i * 3072 + p] = (records[i * 3073 + 1 + p] / 255f - mean[p / 1024]) / deviation[p / 1024];
        var inputs = new Dictionary<string, OrtTensor> { [graph.Inputs[0].Name] = input };
        using var expected = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.expected.json")));
        double[] wanted = [.. expected.RootElement.GetProperty("first10_probabilities").EnumerateArray().SelectMany(row => row.EnumerateArray().Select(p => p.GetDouble()))];
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        foreach ((Cut front, Cut? tail) in Pick(graph))
        {
            PartitionedModel parts = GraphCutter.Split(graph, front.Tensors, tail?.Tensors);
            OrtTensor[] composed = Composition.Parts(parts, inputs, GraphOptimization.Basic);
            Assert.Equal(0, Composition.Distance(whole, composed));
            Assert.All(wanted.Zip(Composition.Doubles(composed[0])), pair => Assert.Equal(pair.First, pair.Second, 2e-5));
        }
    }

    [Theory]
    [InlineData("z = BatchNormalization(y, s, b, m, v)")]
    [InlineData("z = Mul(y, c)")]
    [InlineData("z = Add(y, c)")]
    public void Between_operators_that_are_folded_into_one_no_cut_is_offered_and_a_named_one_says_so(string next)
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 16, 16)], ["o"],
            Node("a = Conv(x, w0)"), Node("b0 = Relu(a)"), Node("y = Conv(b0, w, bias)"), Node(next), Node("q = Conv(z, w)"), Node("o = Relu(q)"))
            .With(Random("w0", 1, 8, 3, 3, 3), Random("w", 2, 8, 8, 3, 3), Random("bias", 3, 8), Random("c", 4, 1, 8, 1, 1),
                Random("s", 5, 8), Random("b", 6, 8), Random("m", 7, 8), TensorProto.Of("v", [8], [1f, 2, 3, 4, 5, 6, 7, 8])));
        Assert.Equal(["a", "b0", "z", "q"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
        Assert.False(graph.Cut(["y"]).KeepsBits);
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.InRange(Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, ["y"]), inputs, GraphOptimization.Basic)), double.Epsilon, WithinRounding);
        Assert.All(CutFinder.Find(graph), cut => Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic))));
    }

    [Theory]
    [InlineData("p = BatchNormalization(y, s, b, m, v)", "z = Mul(p, c)")]
    [InlineData("p = Mul(y, c)", "z = Add(p, c)")]
    [InlineData("p = Mul(y, c)", "z = BatchNormalization(p, s, b, m, v)")]
    public void What_is_folded_is_folded_again_with_what_follows(string next, string last)
    {
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 3, 16, 16)], ["o"],
            Node("a = Conv(x, w0)"), Node("b0 = Relu(a)"), Node("y = Conv(b0, w, bias)"), Node(next), Node(last), Node("o = Softmax(z)"))
            .With(Random("w0", 1, 8, 3, 3, 3), Random("w", 2, 8, 8, 3, 3), Random("bias", 3, 8), Random("c", 4, 1, 8, 1, 1),
                Random("s", 5, 8), Random("b", 6, 8), Random("m", 7, 8), TensorProto.Of("v", [8], [1f, 2, 3, 4, 5, 6, 7, 8])));
        Assert.Equal(["a", "b0", "z"], CutFinder.Find(graph).Select(cut => cut.Tensors[0]));
        Assert.False(graph.Cut(["p"]).KeepsBits);
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
        OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
        Assert.InRange(Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, ["p"]), inputs, GraphOptimization.Basic)), double.Epsilon, WithinRounding);
        Assert.All(CutFinder.Find(graph), cut => Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic))));
    }

    [Theory]
    [InlineData("o", "h", "m = ReduceMean(h)", "d = Sub(h, m)", "p = Pow(d, two)", "v = ReduceMean(p)", "e = Add(v, eps)", "s = Sqrt(e)", "q = Div(d, s)", "r = Mul(q, g)", "t = Add(r, g)", "o = MatMul(t, w)")]
    [InlineData("o", "h", "d = Div(h, two)", "e = Erf(d)", "a = Add(e, one)", "m = Mul(h, a)", "k = Mul(m, half)", "o = MatMul(k, w)")]
    [InlineData("o", "h", "d = Sigmoid(h)", "m = Mul(h, d)", "k = MatMul(m, w)", "n = Add(k, g)", "o = Relu(n)")]
    [InlineData("o", "h", "p = Pow(h, two)", "v = ReduceMean(p)", "e = Add(v, eps)", "s = Sqrt(e)", "q = Div(h, s)", "r = Mul(q, g)", "o = MatMul(r, w)")]
    [InlineData("o", "h", "d = Div(one, h)", "m = Mul(d, g)", "o = MatMul(m, w)")]
    [InlineData("o", "h", "b = BatchNormalization(h, s1, g, g, s1)", "o = MatMul(b, w)")]
    public void Inside_what_becomes_one_operator_no_cut_is_offered(string last, string first, params string[] nodes)
    {
        // With the newest operator set ONNX Runtime makes layer normalisations and Gelu of their parts.
        ModelProto model = Of([Input("x", "N", 8)], [last], [Node($"{first} = MatMul(x, w)"), .. nodes.Select(node => node.Contains("ReduceMean", StringComparison.Ordinal) ? Node(node.Replace(")", ", ax)", StringComparison.Ordinal)) : Node(node))])
            .With(Random("w", 1, 8, 8), Random("g", 2, 8), TensorProto.Of("two", [], [2f]), TensorProto.Of("eps", [], [1e-5f]), TensorProto.Of("one", [], [1f]), TensorProto.Of("half", [], [0.5f]),
                TensorProto.Of("ax", [1], [-1L]), TensorProto.Of("s1", [8], [1.1f, 0.7f, 1.3f, 0.9f, 1.7f, 1.9f, 0.3f, 2.1f])) with { OpsetImport = [new OperatorSetIdProto { Version = 20 }] };
        ModelGraph graph = ModelGraph.Read(model);
        Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 3);
        OrtTensor[] whole = Composition.Whole(model, inputs, GraphOptimization.Basic);
        var cuts = CutFinder.Find(graph, 3);
        Assert.NotEmpty(cuts);
        Assert.All(cuts, cut => Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic))));
    }

    [SharedDataFact]
    public void Text_classifiers_are_cut_like_others()
    {
        foreach ((string name, Dictionary<string, long[]>? shapes) in new[]
        {
            ("text/sentiment-movie-review", null),
            ("text/embedding-wordvec1000", new Dictionary<string, long[]> { ["token_ids"] = [1, 12] }),
        })
        {
            ModelGraph graph = ModelGraph.Read(Parse(name), shapes);
            Assert.False(graph.IsLanguageModel);
            Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph);
            OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
            var cuts = CutFinder.Find(graph);
            Assert.NotEmpty(cuts);
            foreach (Cut cut in cuts)
            {
                output.WriteLine($"{name}: {cut.Tensors[0]} [{string.Join(',', cut.Shapes[0])}]");
                Assert.Equal(0, Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic)));
            }
        }
    }

    /// <summary>Cuts near a fifth, a half and four fifths of the way, two of several tensors, and one of the first with a tail.</summary>
    private static IEnumerable<(Cut Front, Cut? Tail)> Pick(ModelGraph graph)
    {
        Cut[] cuts = [.. CutFinder.Find(graph, 4)];
        Cut[] single = [.. cuts.Where(cut => cut.Tensors.Length == 1)], several = [.. cuts.Where(cut => cut.Tensors.Length > 1)];
        yield return (single[single.Length / 5], single[^1]);
        if (several.Length > 0)
            yield return (several[several.Length / 3], single[^1]);
        yield return (single[single.Length / 2], null);
        yield return (single[single.Length * 4 / 5], null);
        if (several.Length > 1)
            yield return (several[several.Length * 2 / 3], null);
    }

    private static int Best(OrtTensor answer) => Composition.Doubles(answer) is var values ? Array.IndexOf(values, values.Max()) : -1;

    private static ModelProto Parse(string name) => OnnxModel.Parse(File.ReadAllBytes(TestData.Path($"models/{name}.onnx")));

    /// <summary>The elements of a TensorProto file: read as an initialiser of a model that is nothing else.</summary>
    private static OrtTensor Golden(string name)
    {
        byte[] tensor = File.ReadAllBytes(TestData.Path($"models/light/{name}_output_0.pb"));
        byte[] graph = [.. Field(5, tensor)];
        TensorProto golden = OnnxModel.Parse([.. Field(7, graph)]).Graph.Initializers[0];
        return OrtTensor.OverPinned<float>(golden.ToFloats(), golden.Dims.AsSpan());
    }

    private static IEnumerable<byte> Field(int number, byte[] body)
    {
        yield return (byte)(number << 3 | 2);
        for (int length = body.Length; ; length >>= 7)
        {
            yield return (byte)(length < 128 ? length : length & 127 | 128);
            if (length < 128)
                break;
        }
        foreach (byte value in body)
            yield return value;
    }
}
