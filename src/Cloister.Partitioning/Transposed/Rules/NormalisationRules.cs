using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Normalisations: by stored statistics, by neighbours, by their own mean and deviation, and Softmax.</summary>
internal static class NormalisationRules
{
    // y = (x - mean) / sqrt(var + epsilon) * scale + bias, all by channel
    public static void Batch(GradientTape tape, NodeProto node)
    {
        if (Attributes.Integer(node, "training_mode", 0) != 0 || node.Inputs.Skip(1).Any(tape.Wants))
            throw GradientTape.Refused($"BatchNormalization '{node.Name}' is one for training.");
        string deviation = tape.Node("Sqrt", [tape.Node("Add", [node.Inputs[4], tape.Number(Attributes.Number(node, "epsilon", 1e-5f))])]);
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        string factor = tape.Reshape(tape.Node("Div", [node.Inputs[1], deviation]), [.. shape.Select((dimension, i) => i == 1 ? dimension : 1)]);
        tape.Give(node.Inputs[0], tape.Node("Mul", [tape.Gradient(node.Outputs[0])!, factor]));
    }

    // y_i = x_i d_i^-beta with d_i = bias + alpha / size * (sum of x_j^2 over the channels j near i), so that
    // x'_i = g_i d_i^-beta - 2 alpha beta / size * x_i * (sum of g_j x_j d_j^(-beta-1) over the channels j that i is near to).
    public static void LocalResponse(GradientTape tape, NodeProto node)
    {
        float alpha = Attributes.Number(node, "alpha", 1e-4f), beta = Attributes.Number(node, "beta", 0.75f), bias = Attributes.Number(node, "bias", 1);
        long size = Attributes.Integer(node, "size", 1);
        string x = node.Inputs[0], upstream = tape.Gradient(node.Outputs[0])!;
        ImmutableArray<long> shape = tape.Shape(x);
        long channels = shape[1], places = shape[2..].Aggregate(1L, (product, side) => product * side);
        float[] near = new float[checked(channels * channels)];
        for (long i = 0; i < channels; i++)
            for (long j = Math.Max(0, i - (size - 1) / 2); j <= Math.Min(channels - 1, i + size / 2); j++)
                near[i * channels + j] = 1;
        string band = tape.Constant([channels, channels], near);
        string turnedBand = tape.Node("Transpose", [band]);
        string Near(string value, bool turned) => tape.Reshape(
            tape.Node("MatMul", [turned ? turnedBand : band, tape.Reshape(value, [shape[0], channels, places])]), shape);

        string squares = tape.Node("Mul", [Near(tape.Node("Mul", [x, x]), turned: false), tape.Number(alpha / size)]);
        string d = tape.Node("Add", [squares, tape.Number(bias)]);
        string scaled = tape.Node("Mul", [upstream, tape.Node("Pow", [d, tape.Number(-beta)])]);
        string others = Near(tape.Node("Div", [tape.Node("Mul", [scaled, x]), d]), turned: true);
        string pull = tape.Node("Mul", [tape.Node("Mul", [x, others]), tape.Number(2 * alpha * beta / size)]);
        tape.Give(x, tape.Node("Sub", [scaled, pull]));
    }

    // x' = y (g - sum of g y)
    public static void Softmax(GradientTape tape, NodeProto node)
    {
        string y = node.Outputs[0], upstream = tape.Gradient(y)!;
        string mean = Sum(tape, node, tape.Node("Mul", [upstream, y]));
        tape.Give(node.Inputs[0], tape.Node("Mul", [y, tape.Node("Sub", [upstream, mean])]));
    }

    // x' = g - e^y (sum of g)
    public static void LogSoftmax(GradientTape tape, NodeProto node)
    {
        string y = node.Outputs[0], upstream = tape.Gradient(y)!;
        tape.Give(node.Inputs[0], tape.Node("Sub", [upstream, tape.Node("Mul", [tape.Node("Exp", [y]), Sum(tape, node, upstream)])]));
    }

    public static void Layer(GradientTape tape, NodeProto node)
    {
        DemandFixedScale(tape, node);
        int rank = tape.Shape(node.Inputs[0]).Length;
        int axis = (int)((Attributes.Integer(node, "axis", -1) + rank) % rank);
        string scaled = tape.Node("Mul", [tape.Gradient(node.Outputs[0])!, node.Inputs[1]]);
        tape.Give(node.Inputs[0], Standardised(tape, node.Inputs[0], scaled, From(axis, rank), Count(tape.Shape(node.Inputs[0])[axis..]), Attributes.Number(node, "epsilon", 1e-5f)));
    }

    public static void Instance(GradientTape tape, NodeProto node)
    {
        DemandFixedScale(tape, node);
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        string scaled = tape.Node("Mul", [tape.Gradient(node.Outputs[0])!, ByChannel(tape, node.Inputs[1], shape)]);
        tape.Give(node.Inputs[0], Standardised(tape, node.Inputs[0], scaled, From(2, shape.Length), Count(shape[2..]), Attributes.Number(node, "epsilon", 1e-5f)));
    }

    // The scale is one number a group up to operator set 20, then one a channel.
    public static void Group(GradientTape tape, NodeProto node)
    {
        DemandFixedScale(tape, node);
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        long groups = Attributes.Integer(node, "num_groups", 1);
        string upstream = tape.Gradient(node.Outputs[0])!, scale = node.Inputs[1];
        if (tape.Shape(scale)[0] == shape[1])
            upstream = tape.Node("Mul", [upstream, ByChannel(tape, scale, shape)]);
        string scaled = tape.Reshape(upstream, [shape[0], groups, -1]);
        if (tape.Shape(scale)[0] != shape[1])
            scaled = tape.Node("Mul", [scaled, tape.Reshape(scale, [1, groups, 1])]);
        string gradient = Standardised(tape, tape.Reshape(node.Inputs[0], [shape[0], groups, -1]), scaled, [2], Count(shape[1..]) / groups, Attributes.Number(node, "epsilon", 1e-5f));
        tape.Give(node.Inputs[0], tape.Reshape(gradient, shape));
    }

    public static void MeanVariance(GradientTape tape, NodeProto node)
    {
        long[] axes = Attributes.Find(node, "axes") is { Ints.IsEmpty: false } named ? [.. named.Ints] : [0, 2, 3];
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        long count = axes.Aggregate(1L, (product, axis) => product * shape[(int)((axis + shape.Length) % shape.Length)]);
        tape.Give(node.Inputs[0], Standardised(tape, node.Inputs[0], tape.Gradient(node.Outputs[0])!, axes, count, 1e-9f));
    }

    // y = x / n, so that x' = (g - n' sum of g y) / n, where the norm's derivative n' is y, or for sums of magnitudes the sign.
    public static void Lp(GradientTape tape, NodeProto node)
    {
        string x = node.Inputs[0], y = node.Outputs[0], upstream = tape.Gradient(y)!;
        bool square = Attributes.Integer(node, "p", 2) == 2;
        string norm = Sum(tape, node, square ? tape.Node("Mul", [x, x]) : tape.Node("Abs", [x]));
        norm = square ? tape.Node("Sqrt", [norm]) : norm;
        string pull = tape.Node("Mul", [square ? y : tape.Node("Sign", [x]), Sum(tape, node, tape.Node("Mul", [upstream, y]))]);
        tape.Give(x, tape.Node("Div", [tape.Node("Sub", [upstream, pull]), norm]));
    }

    // h = (x - mean) / deviation over the axes, so that x' = (g - mean of g - h * mean of g h) / deviation.
    private static string Standardised(GradientTape tape, string x, string upstream, long[] axes, long count, float epsilon)
    {
        string Mean(string value) => tape.Node("Mul", [tape.Node("ReduceSum", [value, tape.Integers(axes)]), tape.Number((float)(1.0 / count))]);
        string centred = tape.Node("Sub", [x, Mean(x)]);
        string deviation = tape.Node("Sqrt", [tape.Node("Add", [Mean(tape.Node("Mul", [centred, centred])), tape.Number(epsilon)])]);
        string h = tape.Node("Div", [centred, deviation]);
        string apart = tape.Node("Sub", [tape.Node("Sub", [upstream, Mean(upstream)]), tape.Node("Mul", [h, Mean(tape.Node("Mul", [upstream, h]))])]);
        return tape.Node("Div", [apart, deviation]);
    }

    private static long[] From(int axis, int rank) => [.. Enumerable.Range(axis, rank - axis).Select(i => (long)i)];

    private static long Count(ImmutableArray<long> shape) => shape.Aggregate(1L, (product, dimension) => product * dimension);

    private static string ByChannel(GradientTape tape, string scale, ImmutableArray<long> shape) =>
        tape.Reshape(scale, [.. shape.Select((dimension, i) => i == 1 ? dimension : 1)]);

    private static void DemandFixedScale(GradientTape tape, NodeProto node)
    {
        if (node.Inputs.Skip(1).Any(tape.Wants))
            throw GradientTape.Refused($"{node.OpType} '{node.Name}' takes its scale from the input.");
    }

    private static string Sum(GradientTape tape, NodeProto node, string value) =>
        tape.Node("ReduceSum", [value, tape.Integers(Attributes.Integer(node, "axis", -1))], AttributeProto.Of("keepdims", 1L));
}
