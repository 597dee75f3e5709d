using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Tests;
using Xunit.Abstractions;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

public sealed class CutFinderTests(ITestOutputHelper output)
{
    // Multiply-accumulates as the networks' authors and others count them, weights as the files hold them.
    [SharedDataTheory]
    [InlineData("vision/squeezenet1.1-224", 349_151_936, 4_941_984, 30)]
    [InlineData("vision/SqueezeNet_fp16", 349_151_936, 2_470_992, 30)]
    [InlineData("vision/mobilenetv2-1.0-224", 300_775_552, 13_956_396, 30)]
    [InlineData("vision/cifar10-resnet20", 40_551_040, 1_076_392, 20)]
    [InlineData("vision/mnist", 786_560, 24_008, 5)]
    [InlineData("light/light_densenet121", 2_834_161_664, 16_008, 50)]
    [InlineData("light/light_resnet50", 4_089_184_256, 11_332, 30)]
    [InlineData("light/light_inception_v1", 1_431_556_352, 6_828, 20)]
    public void Real_networks_have_cuts_in_order(string name, long macs, long weights, int atLeast)
    {
        ModelGraph graph = Read(name);
        ImmutableArray<Cut> cuts = CutFinder.Find(graph);
        output.WriteLine($"{name}: {graph.Nodes.Length} nodes, {graph.Macs} MACs, {graph.WeightBytes} bytes of weights, {cuts.Length} cuts");
        Assert.Equal(macs, graph.Macs);
        Assert.Equal(weights, graph.WeightBytes);
        Assert.True(cuts.Length >= atLeast, $"{cuts.Length} cuts");
        Assert.All(cuts, cut => Assert.Equal(cut, graph.Cut(cut.Tensors), Same));
        Assert.Equal(cuts.Select(cut => cut.MacsBefore).Order(), cuts.Select(cut => cut.MacsBefore));
        Assert.All(cuts, cut => Assert.InRange(cut.WeightBytesBefore + cut.WeightBytesAfter, weights, 2 * weights));
        Assert.All(cuts, cut => Assert.Equal(graph.Values[cut.Tensors[0]].Bytes, cut.BoundaryBytes));
    }

    [SharedDataFact]
    public void Shares_of_squeezenet_are_those_that_were_published_with_the_leakage_figures()
    {
        ModelGraph graph = Read("vision/squeezenet1.1-224");
        foreach ((string tensor, double percent) in new[] { ("conv1_2", 6.1), ("pool1_1", 6.1), ("fire3/concat_1", 26.5), ("fire5/concat_1", 46.2), ("fire7/concat_1", 56.6), ("fire9/concat_1", 75.2) })
            Assert.Equal(percent, graph.Cut([tensor]).MacShareBefore * 100, 0.05);
    }

    [SharedDataTheory]
    [InlineData("vision/squeezenet1.1-224")]
    [InlineData("vision/cifar10-resnet20")]
    [InlineData("vision/mobilenetv2-1.0-224")]
    [InlineData("light/light_densenet121")]
    [InlineData("light/light_resnet50")]
    [InlineData("light/light_inception_v1")]
    public void Cuts_of_several_tensors_are_priced_and_spare_nothing(string name)
    {
        ModelGraph graph = Read(name);
        ImmutableArray<Cut> cuts = CutFinder.Find(graph, maximumTensors: 4);
        Cut[] several = [.. cuts.Where(cut => cut.Tensors.Length > 1)];
        output.WriteLine($"{name}: {cuts.Length - several.Length} cuts of one tensor, {several.Length} of two to four");
        Assert.Equal(CutFinder.Find(graph).Length, cuts.Length - several.Length);
        Assert.Equal(cuts.Length, cuts.Select(cut => string.Join(' ', cut.Tensors)).Distinct().Count());
        // Asking again demands that each is a cut and that no tensor of it can be spared.
        foreach (Cut cut in several)
        {
            Assert.InRange(cut.Tensors.Length, 2, 4);
            Assert.Equal(cut, graph.Cut(cut.Tensors), Same);
            Assert.Equal(cut.Tensors.Sum(tensor => graph.Values[tensor].Bytes), cut.BoundaryBytes);
            Assert.DoesNotContain(cut.Tensors, tensor => graph.Values[tensor].ShowsInput);
        }
    }

    [SharedDataFact]
    public void Squeezenet_can_be_cut_across_both_branches_of_a_fire_module()
    {
        Cut cut = Assert.Single(CutFinder.Find(Read("vision/squeezenet1.1-224"), 2), cut => cut.Tensors.SequenceEqual(["fire2/expand1x1_2", "fire2/expand3x3_2"]));
        Assert.Equal(2 * 64 * 55 * 55 * sizeof(float), cut.BoundaryBytes);
    }

    [Fact]
    public void Dominators_are_what_no_way_leads_past()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            FlowGraph flow = ModelGraph.Read(RandomNetwork(new Random(seed))).Flow;
            int[] slowly = [.. Enumerable.Range(0, flow.Values.Length).Where(value => !Arrives(flow, [value]))];
            Assert.Equal(slowly, flow.Dominators());
        }
    }

    [Fact]
    public void Cuts_of_several_tensors_in_random_networks_separate_and_are_least()
    {
        int several = 0;
        for (int seed = 1000; seed < 1100; seed++)
        {
            FlowGraph flow = ModelGraph.Read(RandomNetwork(new Random(seed))).Flow;
            foreach (int[] set in Frontiers.Find(flow, flow.Dominators(), 5))
            {
                several++;
                Assert.False(Arrives(flow, set));
                Assert.All(set, spared => Assert.True(Arrives(flow, [.. set.Where(value => value != spared)])));
            }
        }
        Assert.True(several > 100);
    }

    [Fact]
    public void Constants_do_not_cross_and_are_computed_where_they_are_needed()
    {
        // One scale, itself computed from a weight, is used before and after: it neither crosses nor spoils the cut.
        ModelGraph graph = ModelGraph.Read(Of([Input("x", "N", 4)], ["y"],
            Node("s = Sigmoid(w)"), Node("a = MatMul(x, m)"), Node("b = Mul(a, s)"), Node("c = MatMul(b, m)"), Node("y = Mul(c, s)"))
            .With(Random("w", 1, 4), Random("m", 2, 4, 4)));
        Assert.Equal(["a", "b", "c"], CutFinder.Find(graph).Select(cut => Assert.Single(cut.Tensors)));
        Cut cut = graph.Cut(["b"]);
        Assert.Equal((80, 80, 80), (cut.WeightBytesBefore, cut.WeightBytesAfter, graph.WeightBytes));
        Assert.Equal((16, 32), (cut.MacsBefore, cut.MacsWhole));
        PartitionedModel parts = GraphCutter.Split(graph, ["b"]);
        Assert.Equal(["w", "m"], parts.SharedWeights.ToArray());
        Assert.Equal(["Sigmoid", "MatMul", "Mul"], parts.Back.Graph.Nodes.Select(node => node.OpType));
    }

    private static ModelGraph Read(string name) => ModelGraph.Read(OnnxModel.Parse(File.ReadAllBytes(TestData.Path($"models/{name}.onnx"))));

    private static bool Same(Cut left, Cut right) => left with { Tensors = default, Shapes = default } == right with { Tensors = default, Shapes = default }
        && left.Tensors.SequenceEqual(right.Tensors) && left.Shapes.Zip(right.Shapes).All(pair => pair.First.SequenceEqual(pair.Second));

    /// <summary>Whether some way from an input to an output touches none of the values.</summary>
    private static bool Arrives(FlowGraph flow, int[] without)
    {
        bool[] reached = new bool[flow.Values.Length];
        foreach (int input in flow.Inputs)
            reached[input] = !without.Contains(input);
        for (int i = 0; i < flow.Nodes.Length; i++)
            foreach (int value in flow.NodeOutputs[i])
                reached[value] = flow.NodeInputs[i].Any(input => reached[input]) && !without.Contains(value);
        return flow.Outputs.Any(value => reached[value]);
    }

    /// <summary>Up to 30 nodes that read one to three earlier values, mostly near ones; one or two inputs and outputs.</summary>
    private static ModelProto RandomNetwork(Random random)
    {
        string[] inputs = random.Next(3) == 0 ? ["x0", "x1"] : ["x0"];
        var values = new List<string>(inputs);
        var nodes = new List<NodeProto>();
        int count = random.Next(3, 30);
        for (int i = 0; i < count; i++)
        {
            int read = random.Next(3) == 0 ? random.Next(2, 4) : 1;
            string[] from = [.. Enumerable.Range(0, read).Select(_ => values[random.Next(3) == 0 ? random.Next(values.Count) : values.Count - 1]).Distinct()];
            nodes.Add(from.Length == 1 ? Node($"v{i} = MatMul({from[0]}, m)") : Node($"v{i} = Sum({string.Join(", ", from)})"));
            values.Add($"v{i}");
        }
        string[] outputs = random.Next(4) == 0 ? [$"v{count - 1}", $"v{count / 2}"] : [$"v{count - 1}"];
        return Of([.. inputs.Select(name => Input(name, 1, 2))], outputs, [.. nodes]).With(Random("m", 7, 2, 2));
    }
}
