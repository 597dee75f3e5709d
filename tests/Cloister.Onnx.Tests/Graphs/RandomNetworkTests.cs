using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Xunit.Abstractions;
using static Cloister.Onnx.Model.AttributeProto;
using static Cloister.Onnx.Tests.Graphs.Graph;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>Small networks of real operators, drawn from a seed: wherever bits are promised, parts give the whole's.</summary>
public sealed class RandomNetworkTests(ITestOutputHelper output)
{
    private const int Networks = 20;

    private static readonly TensorProto[] Weights =
    [
        Random("w1", 1, 4, 4, 1, 1), Random("w3", 2, 4, 4, 3, 3), Random("depth", 3, 4, 1, 3, 3), Random("bias", 4, 4), Random("scale", 5, 1, 4, 1, 1), Random("slope", 6, 4, 1, 1), TensorProto.Of("var", [4], [0.7f, 1.1f, 1.7f, 0.4f]),
        TensorProto.Of("low", [], [-0.4f]), TensorProto.Of("high", [], [0.8f]), TensorProto.Of("two", [2], [2L, 2]), TensorProto.Of("eps", [], [1e-3f]), TensorProto.Of("one", [], [1f]), TensorProto.Of("half", [], [0.5f]),
        TensorProto.Of("flat", [3], [0L, 4, -1]), TensorProto.Of("axis", [1], [1L]), Random("square", 7, 6, 6), TensorProto.Of("sixth", [], [6f]), TensorProto.Of("three", [], [3f]),
        TensorProto.Of("pads", [8], [0L, 0, 1, 1, 0, 0, 1, 1]), TensorProto.Of("up", [4], [1f, 1, 2, 2]),
    ];

    [Fact]
    public void Parts_give_the_bits_that_are_promised()
    {
        int cuts = 0, promised = 0;
        for (int seed = 0; seed < Networks; seed++)
        {
            ModelGraph graph = ModelGraph.Read(Network(new Random(seed)));
            Dictionary<string, OrtTensor> inputs = Composition.Inputs(graph, items: 2, seed);
            OrtTensor[] whole = Composition.Whole(graph.Model, inputs, GraphOptimization.Basic);
            var random = new Random(seed);
            Cut[] found = [.. CutFinder.Find(graph, 2)];
            random.Shuffle(found);
            foreach (Cut cut in found.Take(5))
            {
                double distance = Composition.Distance(whole, Composition.Parts(GraphCutter.Split(graph, cut.Tensors), inputs, GraphOptimization.Basic));
                Assert.True(distance == 0 || !cut.KeepsBits, $"seed {seed}: {distance} at {string.Join(' ', cut.Tensors)} of {string.Join("; ", graph.Nodes.Select(node => $"{string.Join(',', node.Proto.Outputs)} = {node.Proto.OpType}({string.Join(',', node.Proto.Inputs)})"))}");
                cuts++;
                promised += cut.KeepsBits ? 1 : 0;
            }
        }
        output.WriteLine($"{cuts} cuts, {promised} of them with the whole's bits");
        Assert.True(promised > Networks);
    }

    /// <summary>Blocks of four channels, six by six, one behind the other, of which some lead back in later.</summary>
    private static ModelProto Network(Random random)
    {
        var nodes = new List<NodeProto> { Node("v0 = Conv(x, w3, bias)", Of("pads", 1L, 1, 1, 1)) };
        var values = new List<string> { "v0" };
        int blocks = random.Next(4, 14);
        for (int i = 1; i <= blocks; i++)
        {
            string from = random.Next(4) == 0 ? values[random.Next(values.Count)] : values[^1], other = values[random.Next(values.Count)], made = $"v{i}";
            nodes.AddRange(Block(random.Next(24), from, other, made).Select(node => node with { Inputs = [.. node.Inputs.Select(name => Own(name, i))] }));
            values.Add(made);
        }
        nodes.Add(Node($"g = GlobalAveragePool({values[^1]})"));
        nodes.Add(Node("y = Flatten(g)"));
        TensorProto[] own = [.. Weights.Where(weight => IsOwn(weight.Name)).SelectMany(weight => Enumerable.Range(1, blocks).Select(i => Random(Own(weight.Name, i), i, [.. weight.Dims])))];
        return Of([Input("x", "N", 4, 6, 6)], ["y"], [.. nodes]).With(Weights).With(own);
    }

    // Of two blocks of the same weights on the same value ONNX Runtime makes one: no network is built so.
    private static string Own(string name, int block) => IsOwn(name) ? $"{name}-{block}" : name;

    private static bool IsOwn(string name) => name is "w1" or "w3" or "depth" or "scale" or "square";

    private static NodeProto[] Block(int kind, string from, string other, string made) => kind switch
    {
        0 => [Node($"{made} = Relu({from})")],
        1 => [Node($"{made} = Conv({from}, w1, bias)")],
        2 => [Node($"{made} = Conv({from}, w3)", Of("pads", 1L, 1, 1, 1))],
        3 => [Node($"{made} = Conv({from}, depth)", Of("pads", 1L, 1, 1, 1), Of("group", 4L))],
        4 => [Node($"{made} = BatchNormalization({from}, bias, bias, bias, var)")],
        5 => [Node($"{made} = Add({from}, {other})")],
        6 => [Node($"{made} = Mul({from}, scale)")],
        7 => [Node($"{made} = Add({from}, scale)")],
        8 => [Node($"{made} = Clip({from}, low, high)")],
        9 => [Node($"{made}s = Sigmoid({from})"), Node($"{made} = Mul({from}, {made}s)")],
        10 => [Node($"{made}s = Shape({from})"), Node($"{made}f = Reshape({from}, flat)"), Node($"{made}m = Softmax({made}f)"), Node($"{made} = Reshape({made}m, {made}s)")],
        11 => [Node($"{made}a, {made}b = Split({from}, two)", Of("axis", 1L)), Node($"{made}c = Tanh({made}a)"), Node($"{made} = Concat({made}b, {made}c)", Of("axis", 1L))],
        12 => [Node($"{made} = MaxPool({from})", Of("kernel_shape", 3L, 3L), Of("pads", 1L, 1, 1, 1))],
        13 => [Node($"{made} = AveragePool({from})", Of("kernel_shape", 3L, 3L), Of("pads", 1L, 1, 1, 1))],
        14 => [Node($"{made}g = GlobalAveragePool({from})"), Node($"{made}c = Conv({made}g, w1)"), Node($"{made}h = HardSigmoid({made}c)"), Node($"{made} = Mul({from}, {made}h)")],
        15 => [Node($"{made}d = Div(one, {from})"), Node($"{made} = Mul({made}d, half)")],
        16 => [Node($"{made} = PRelu({from}, slope)")],
        17 => [Node($"{made} = MatMul({from}, square)")],
        18 => [Node($"{made}m = ReduceMean({from})", Of("axes", [-1L])), Node($"{made}d = Sub({from}, {made}m)"), Node($"{made}q = Mul({made}d, {made}d)"), Node($"{made}v = ReduceMean({made}q)", Of("axes", [-1L])),
            Node($"{made}e = Add({made}v, eps)"), Node($"{made}s = Sqrt({made}e)"), Node($"{made} = Div({made}d, {made}s)")],
        19 => [Node($"{made}a = Add({from}, three)"), Node($"{made}c = Clip({made}a, , sixth)"), Node($"{made}m = Mul({from}, {made}c)"), Node($"{made} = Div({made}m, sixth)")],
        20 => [Node($"{made}t = Transpose({from})", Of("perm", 0L, 1L, 3L, 2L)), Node($"{made} = MatMul({from}, {made}t)")],
        21 => [Node($"{made}p = Pad({from})") with { Inputs = [from, "pads"] }, Node($"{made} = Conv({made}p, w3)")],
        22 => [Node($"{made}i = Identity({from})"), Node($"{made}o,  = Dropout({made}i)"), Node($"{made} = Sub({made}o, {other})")],
        _ => [Node($"{made}u = Resize({from}, , up)", Of("mode", "nearest")), Node($"{made} = MaxPool({made}u)", Of("kernel_shape", 2L, 2L), Of("strides", 2L, 2L))],
    };
}
