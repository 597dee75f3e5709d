using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Sums and means over dimensions: the gradient is spread over them.</summary>
internal static class ReductionRules
{
    public static void GlobalAveragePool(GradientTape tape, NodeProto node) => Spread(tape, node, tape.Shape(node.Outputs[0]), mean: true);

    public static void ReduceMean(GradientTape tape, NodeProto node) => Spread(tape, node, Kept(tape, node), mean: true);

    public static void ReduceSum(GradientTape tape, NodeProto node) => Spread(tape, node, Kept(tape, node), mean: false);

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
