using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Tests;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

public sealed class PartsComparisonTests
{
    private static readonly ModelProto Network = Of([Input("x", "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("b = Relu(a)"), Node("c = MatMul(b, m2)"), Node("y = Softmax(c)"))
        .With(Random("m", 1, 4, 4), Random("m2", 2, 4, 4));

    [Fact]
    public void Parts_of_a_model_are_it_and_parts_of_another_are_not()
    {
        ModelGraph graph = ModelGraph.Read(Network);
        PartitionedModel parts = GraphCutter.Split(graph, ["b"], ["c"]);
        Assert.Equal(new PartsComparison(true, 0), PartsComparison.Run(graph, parts));
        TensorProto[] others = [.. parts.Back.Graph.Initializers.Select(weight => weight with { RawData = Random("m2", 3, 4, 4).RawData })];
        PartsComparison changed = PartsComparison.Run(graph, parts with { Back = parts.Back with { Graph = parts.Back.Graph with { Initializers = [.. others] } } });
        Assert.False(changed.SameBits);
        Assert.InRange(changed.LargestDifference, 0.001, 10);
    }

    [Fact]
    public void Labels_that_differ_and_what_is_no_number_count_whole()
    {
        ModelProto labels = Network with { Graph = Network.Graph with { Nodes = [.. Network.Graph.Nodes[..3], Node("y = ArgMax(c)", AttributeProto.Of("axis", 1L))] } };
        ModelGraph graph = ModelGraph.Read(labels);
        PartitionedModel parts = GraphCutter.Split(graph, ["b"]);
        Assert.Equal(new PartsComparison(true, 0), PartsComparison.Run(graph, parts));
        TensorProto negative = TensorProto.Of("m2", [4, 4], [.. parts.Back.Graph.Initializers[0].ToFloats().Select(value => -value)]);
        ModelProto wrong = parts.Back with { Graph = parts.Back.Graph with { Initializers = [negative] } };
        Assert.Contains(Enumerable.Range(0, 20), seed => PartsComparison.Run(graph, parts with { Back = wrong }, seed: seed) == new PartsComparison(false, 1));

        TensorProto none = TensorProto.Of("m2", [4, 4], [.. Enumerable.Repeat(float.NaN, 16)]);
        ModelGraph whole = ModelGraph.Read(Network);
        PartitionedModel broken = GraphCutter.Split(whole, ["b"]);
        broken = broken with { Back = broken.Back with { Graph = broken.Back.Graph with { Initializers = [none] } } };
        Assert.Equal(new PartsComparison(false, 1), PartsComparison.Run(whole, broken));
    }

    [Fact]
    public void What_is_no_number_in_the_whole_vouches_for_nothing_either()
    {
        // Half of the whole's answer is no number; the parts answer all of it.
        ModelProto half = Of([Input("x", "N", 4)], ["y"], Node("a = MatMul(x, m)"), Node("y = Mul(a, c)")).With(Random("m", 1, 4, 4), TensorProto.Of("c", [4], [1f, 1, float.NaN, float.NaN]));
        ModelGraph graph = ModelGraph.Read(half);
        PartitionedModel parts = GraphCutter.Split(graph, ["a"]);
        Assert.Equal(new PartsComparison(true, 0), PartsComparison.Run(graph, parts));
        ModelProto back = parts.Back with { Graph = parts.Back.Graph with { Initializers = [TensorProto.Of("c", [4], [1f, 1, 1, 1])] } };
        Assert.Equal(new PartsComparison(false, 1), PartsComparison.Run(graph, parts with { Back = back }));
    }

    [SharedDataFact]
    public void Half_precision_differs_within_its_rounding()
    {
        ModelGraph graph = ModelGraph.Read(OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/SqueezeNet_fp16.onnx"))));
        PartsComparison comparison = PartsComparison.Run(graph, GraphCutter.Split(graph, ["fire5/concat_1"]), GraphOptimization.All);
        Assert.InRange(comparison.LargestDifference, 0, 5e-3);
    }
}
