using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Sums and means over dimensions: the gradient is spread over them.</summary>
internal static class ReductionRules
{
    public static void GlobalAveragePool(GradientTape tape, NodeProto node) => Spread(tape, node, tape.Shape(node.Outputs[0]), mean: true);

    public static void ReduceMean(GradientTape tape, NodeProto node) => Spread(tape, node, Kept(tape, node), mean: true);

    public static void ReduceSum(GradientTape tape, NodeProto node) => Spread(tape, node, Kept(tape, node), mean: false);

    public static void GlobalMaxPool(GradientTape tape, NodeProto node) => Extreme(tape, node, tape.Shape(node.Outputs[0]));

    public static void ReduceExtreme(GradientTape tape, NodeProto node) => Extreme(tape, node, Kept(tape, node));

    public static void ReduceSumSquare(GradientTape tape, NodeProto node) =>
        Times(tape, node, (x, _) => tape.Node("Add", [x, x]));

    public static void ReduceL1(GradientTape tape, NodeProto node) => Times(tape, node, (x, _) => tape.Node("Sign", [x]));

    public static void ReduceL2(GradientTape tape, NodeProto node) => Times(tape, node, (x, y) => tape.Node("Div", [x, y]));

    public static void ReduceLogSumExp(GradientTape tape, NodeProto node) =>
        Times(tape, node, (x, y) => tape.Node("Exp", [tape.Node("Sub", [x, y])]));

    // Elements that are the largest together share the gradient.
    private static void Extreme(GradientTape tape, NodeProto node, ImmutableArray<long> kept)
    {
        string mask = tape.Mask("Equal", node.Inputs[0], tape.Reshape(node.Outputs[0], kept));
        long[] axes = [.. Enumerable.Range(0, kept.Length).Where(i => kept[i] == 1).Select(i => (long)i)];
        string share = axes.Length == 0 ? mask : tape.Node("Div", [mask, tape.Node("ReduceSum", [mask, tape.Integers(axes)])]);
        tape.Give(node.Inputs[0], tape.Node("Mul", [share, tape.Reshape(tape.Gradient(node.Outputs[0])!, kept)]));
    }

    private static void Times(GradientTape tape, NodeProto node, Func<string, string, string> derivative)
    {
        ImmutableArray<long> kept = Kept(tape, node);
        string slope = derivative(node.Inputs[0], tape.Reshape(node.Outputs[0], kept));
        tape.Give(node.Inputs[0], tape.Node("Mul", [slope, tape.Reshape(tape.Gradient(node.Outputs[0])!, kept)]));
    }

    private static void Spread(GradientTape tape, NodeProto node, ImmutableArray<long> kept, bool mean)
    {
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        string gradient = tape.Reshape(tape.Gradient(node.Outputs[0])!, kept);
        if (mean)
        {
            double count = 1;
            for (int i = 0; i < shape.Length; i++)
                count *= (double)shape[i] / kept[i];
            gradient = tape.Node("Mul", [gradient, tape.Number((float)(1 / count))]);
        }
        tape.Give(node.Inputs[0], tape.Node("Expand", [gradient, tape.Integers(shape.AsSpan())]));
    }

    // The output's shape with a 1 where a dimension was reduced away. Up to a version axes are an attribute, then an input.
    private static ImmutableArray<long> Kept(GradientTape tape, NodeProto node)
    {
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        long[]? axes = [.. Attributes.Integers(node, "axes", 0, 0)];
        if (node.Inputs.Length > 1 && node.Inputs[1].Length > 0)
            axes = ModelConstants.Integers(tape.Known(node.Inputs[1])) ?? throw GradientTape.Refused($"{node.OpType} '{node.Name}' computes which dimensions it reduces.");
        if (axes.Length == 0)
            return Attributes.Integer(node, "noop_with_empty_axes", 0) != 0 ? shape : [.. shape.Select(_ => 1L)];
        long[] kept = [.. shape];
        foreach (long axis in axes)
            kept[(int)((axis + kept.Length) % kept.Length)] = 1;
        return [.. kept];
    }
}
