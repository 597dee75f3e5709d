using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Normalisations: by stored statistics, by neighbours, and Softmax.</summary>
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
        string Near(string value, bool turned) => tape.Reshape(
            tape.Node("Gemm", [band, tape.Reshape(value, [channels, places])], AttributeProto.Of("transA", turned ? 1L : 0)), shape);

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

    private static string Sum(GradientTape tape, NodeProto node, string value) =>
        tape.Node("ReduceSum", [value, tape.Integers(Attributes.Integer(node, "axis", -1))], AttributeProto.Of("keepdims", 1L));
}
