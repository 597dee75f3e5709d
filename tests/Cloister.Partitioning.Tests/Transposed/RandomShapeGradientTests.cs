using static Cloister.Onnx.Model.AttributeProto;

namespace Cloister.Partitioning.Tests.Transposed;

/// <summary>Gradients of operators over shapes, batches and attributes drawn from a seed, against differences of the forward graph.</summary>
public sealed class RandomShapeGradientTests
{
    private const int Draws = 15;

    /// <summary>Draws a graph for an input of a shape; null where the drawn numbers give none.</summary>
    private delegate SmallGraph? Drawn(Random random, SmallGraph graph, long[] x);

    private static readonly Dictionary<string, Drawn> Graphs = new()
    {
        ["Conv"] = (random, graph, x) =>
        {
            long group = random.Next(2) == 0 ? x[1] : 1;
            long[] kernel = Sides(random, 1, 4), dilations = Sides(random, 1, 3), pads = [.. Sides(random, 0, 3), .. Sides(random, 0, 3)];
            return Fits(x, kernel, dilations, pads) ? graph.Then("Conv", ["x", graph.Weight(group * random.Next(1, 3), x[1] / group, kernel[0], kernel[1])],
                Of("group", group), Of("strides", Sides(random, 1, 4)), Of("dilations", dilations), Of("pads", pads)) : null;
        },
        ["ConvTranspose"] = (random, graph, x) =>
        {
            long group = random.Next(2) == 0 ? x[1] : 1;
            long[] kernel = Sides(random, 2, 4), strides = Sides(random, 1, 4), pads = [.. Sides(random, 0, 2), .. Sides(random, 0, 2)];
            return graph.Then("ConvTranspose", ["x", graph.Weight(x[1], random.Next(1, 3), kernel[0], kernel[1])],
                Of("group", group), Of("strides", strides), Of("dilations", Sides(random, 1, 3)), Of("pads", pads), Of("output_padding", [.. strides.Select(stride => random.NextInt64(stride))]));
        },
        ["AveragePool"] = (random, graph, x) =>
        {
            long[] kernel = Sides(random, 2, 4), pads = [random.Next(2), random.Next(2), random.Next(2), random.Next(2)];
            return Fits(x, kernel, [1, 1], pads) ? graph.Then("AveragePool", Of("kernel_shape", kernel), Of("strides", Sides(random, 1, 4)), Of("pads", pads),
                Of("ceil_mode", random.NextInt64(2)), Of("count_include_pad", random.NextInt64(2))) : null;
        },
        ["MaxPool"] = (random, graph, x) =>
        {
            long[] kernel = Sides(random, 2, 4), dilations = Sides(random, 1, 3), pads = [random.Next(2), random.Next(2), random.Next(2), random.Next(2)];
            return Fits(x, kernel, dilations, pads) ? graph.Then("MaxPool", Of("kernel_shape", kernel), Of("strides", Sides(random, 1, 4)), Of("dilations", dilations), Of("pads", pads), Of("ceil_mode", random.NextInt64(2))) : null;
        },
        ["Resize"] = (random, graph, x) => graph.Then("Resize", ["x", "", "", graph.Integers(x[0], x[1], random.Next(1, 12), random.Next(1, 12))],
            Of("mode", Any(random, "nearest", "linear", "cubic")), Of("nearest_mode", Any(random, "floor", "ceil", "round_prefer_floor", "round_prefer_ceil")),
            Of("coordinate_transformation_mode", Any(random, "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"))),
        ["Resize by factors"] = (random, graph, x) => graph.Then("Resize", ["x", "", graph.Floats(1, 1, 0.5f + random.NextSingle() * 2, 0.5f + random.NextSingle() * 2)],
            Of("mode", Any(random, "nearest", "linear")), Of("coordinate_transformation_mode", Any(random, "half_pixel", "align_corners", "asymmetric"))),
        ["Pad"] = (random, graph, x) =>
            graph.Then("Pad", ["x", graph.Integers([.. Enumerable.Range(0, 8).Select(i => i % 4 < 2 ? 0 : random.NextInt64(-1, x[i % 4] - 1))])], Of("mode", Any(random, "constant", "reflect", "edge"))),
        ["Slice"] = (random, graph, x) =>
            graph.Then("Slice", ["x", graph.Integers(random.Next(3), -1), graph.Integers(random.Next(4, 9), -100), graph.Integers(2, 3), graph.Integers(random.Next(1, 3), -random.Next(1, 3))]),
        ["Gather"] = (random, graph, x) => random.Next(4) is var axis ? graph.Then("Gather", ["x", graph.Places([2, 3], (int)x[axis])], Of("axis", (long)axis)) : null,
        ["Split"] = (random, graph, x) => random.NextInt64(1, x[3]) is var part
            ? graph.Then("Split", ["x", graph.Integers(part, x[3] - part)], Of("axis", -1L)).Outputs("a", "b").Then("ReduceMean", ["a"], Of("axes", [3L])).Then("Mul", [graph.Last, "b"]) : null,
        ["Concat"] = (random, graph, x) => graph.Then("Tanh").Then("Concat", ["x", graph.Last, "x"], Of("axis", random.NextInt64(-4, 4))),
        ["Transpose"] = (random, graph, x) => graph.Then("Transpose", Of("perm", Order(random))).Then("Softmax", Of("axis", random.NextInt64(-4, 4))),
        ["LogSoftmax"] = (random, graph, x) => graph.Then("LogSoftmax", Of("axis", random.NextInt64(-4, 4))),
        ["Broadcast"] = (random, graph, x) => graph.Then(Any(random, "Add", "Sub", "Mul", "Div", "Max", "Min"), ["x", graph.Weight(0.5, 2, Broadcast(random, x))])
            .Then("ReduceMean", ["x"], Of("axes", [random.NextInt64(-4, 4)])).Then(Any(random, "Add", "Sub", "Mul", "Sum", "Mean"), ["v0", graph.Last]),
        ["Reduce"] = (random, graph, x) => graph.Then(Any(random, "ReduceMean", "ReduceSumSquare", "ReduceL2", "ReduceMax", "ReduceMin", "ReduceLogSumExp"), Of("axes", [.. Order(random)[..random.Next(1, 4)]]), Of("keepdims", random.NextInt64(2))),
        ["Gemm"] = (random, graph, x) =>
        {
            (long rows, long columns) = (x[0] * x[1], x[2] * x[3]);
            bool turned = random.Next(2) == 0, other = random.Next(2) == 0;
            (long inner, long outer, long made) = (turned ? rows : columns, turned ? columns : rows, random.Next(1, 5));
            return graph.Then("Flatten", Of("axis", 2L)).Then("Gemm", [graph.Last, other ? graph.Weight(made, inner) : graph.Weight(inner, made), random.Next(2) == 0 ? graph.Weight(made) : graph.Weight(outer, 1)],
                Of("transA", turned ? 1L : 0), Of("transB", other ? 1L : 0), Of("alpha", 0.7f), Of("beta", 1.3f));
        },
        ["MatMul"] = (random, graph, x) => random.Next(3) switch
        {
            0 => graph.Then("MatMul", ["x", graph.Weight(random.Next(1, 3), 1, x[1], x[3], random.Next(1, 5))]),
            1 => graph.Then("MatMul", [graph.Weight(random.Next(1, 5), x[2]), "x"]),
            _ => graph.Then("Transpose", Of("perm", 0L, 1L, 3L, 2L)).Then("MatMul", [graph.Last, "x"]),
        },
        ["BatchNormalization"] = (random, graph, x) => graph.Then("BatchNormalization", ["x", graph.Weight(x[1]), graph.Weight(x[1]), graph.Weight(x[1]), graph.Weight(0.2, 2, x[1])]),
        ["LRN"] = (random, graph, x) => graph.Then("LRN", Of("size", 2 * random.NextInt64(3) + 1), Of("alpha", 2f), Of("bias", 1.5f)),
        ["LayerNormalization"] = (random, graph, x) => random.Next(4) is var axis ? graph.Then("LayerNormalization", ["x", graph.Weight(x[axis..])], Of("axis", (long)axis), Of("epsilon", 0.05f)) : null,
        ["InstanceNormalization"] = (random, graph, x) => graph.Then("InstanceNormalization", ["x", graph.Weight(x[1]), graph.Weight(x[1])], Of("epsilon", 0.05f)),
        ["LpNormalization"] = (random, graph, x) => graph.Then("LpNormalization", Of("axis", random.NextInt64(-4, 4))),
        ["SpaceToDepth and back"] = (random, graph, x) => random.NextInt64(1, 4) is var side
            ? graph.Then("Pad", ["x", graph.Integers(0, 0, 0, 0, 0, 0, (side - x[2] % side) % side, (side - x[3] % side) % side)]).Then("SpaceToDepth", Of("blocksize", side)).Then("Softmax", Of("axis", 1L))
                .Then("DepthToSpace", Of("blocksize", side), Of("mode", Any(random, "DCR", "CRD"))) : null,
        ["An activation"] = (random, graph, x) => graph.Then(Any(random, "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus", "Softsign", "Erf", "Abs", "ThresholdedRelu"))
            .Then(Any(random, "Sin", "Cos", "Exp", "Neg", "GlobalAveragePool", "GlobalMaxPool")),
    };

    public static TheoryData<string> Names => [.. Graphs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_rule_gives_what_differences_give(string name)
    {
        for (int seed = 0, drawn = 0; drawn < Draws; seed++)
        {
            Assert.True(seed < 1000, "no graph comes of the draws");
            var random = new Random(1000 * name.Length + seed);
            long[] shape = [random.Next(1, 4), random.Next(1, 5), random.Next(3, 8), random.Next(3, 8)];
            if (Graphs[name](random, new SmallGraph(seed, opset: 17), shape) is not { } graph)
                continue;
            drawn++;
            int count = (int)(shape[0] * shape[1] * shape[2] * shape[3]);
            // Apart from each other, also without their signs, and from zero, so that differences meet few kinks.
            float[] x = [.. Enumerable.Range(0, count).Select(i => (i + 0.25f) * 4 / count - 2)];
            random.Shuffle(x);
            string where = $"{name}, seed {seed}, [{string.Join(',', shape)}]";
            using var check = new GradientCheck(graph.Build(shape), x, seed);
            check.DemandEqual(x, Enumerable.Range(0, 14).Select(_ => random.Next(count)), where);
        }
    }

    private static long[] Sides(Random random, int low, int high) => [random.Next(low, high), random.Next(low, high)];

    private static bool Fits(long[] x, long[] kernel, long[] dilations, long[] pads) =>
        Enumerable.Range(0, 2).All(i => (kernel[i] - 1) * dilations[i] + 1 <= x[2 + i] + pads[i] + pads[2 + i] && pads[i] < kernel[i] && pads[2 + i] < kernel[i]);

    private static long[] Order(Random random)
    {
        long[] order = [0, 1, 2, 3];
        random.Shuffle(order);
        return order;
    }

    private static long[] Broadcast(Random random, long[] x) => [.. x[random.Next(4)..].Select(side => random.Next(2) == 0 ? side : 1)];

    private static string Any(Random random, params string[] names) => names[random.Next(names.Length)];
}
