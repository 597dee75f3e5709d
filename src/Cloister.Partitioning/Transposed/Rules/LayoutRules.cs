using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Operators that only move elements: gradients move back.</summary>
internal static class LayoutRules
{
    public static void Same(GradientTape tape, NodeProto node) => tape.Give(node.Inputs[0], tape.Gradient(node.Outputs[0])!);

    public static void Reshape(GradientTape tape, NodeProto node) =>
        tape.Give(node.Inputs[0], tape.Reshape(tape.Gradient(node.Outputs[0])!, tape.Shape(node.Inputs[0])));

    public static void Transpose(GradientTape tape, NodeProto node)
    {
        int rank = tape.Shape(node.Inputs[0]).Length;
        ImmutableArray<long> order = Attributes.Find(node, "perm")?.Ints ?? [.. Enumerable.Range(0, rank).Select(i => (long)(rank - 1 - i))];
        long[] back = new long[rank];
        for (int i = 0; i < rank; i++)
            back[(int)order[i]] = i;
        tape.Give(node.Inputs[0], tape.Node("Transpose", [tape.Gradient(node.Outputs[0])!], AttributeProto.Of("perm", back)));
    }

    public static void Concat(GradientTape tape, NodeProto node)
    {
        int rank = tape.Shape(node.Outputs[0]).Length;
        int axis = (int)((Attributes.Integer(node, "axis", 0) + rank) % rank);
        long start = 0;
        foreach (string input in node.Inputs)
        {
            long end = start + tape.Shape(input)[axis];
            if (tape.Wants(input))
                tape.Give(input, tape.Node("Slice", [tape.Gradient(node.Outputs[0])!, tape.Integers(start), tape.Integers(end), tape.Integers(axis)]));
            start = end;
        }
    }

    // What was padded by a constant is cut off: a padding by as little as it was by much. Elements that are repeated are elements that move.
    public static void Pad(GradientTape tape, NodeProto node)
    {
        string[] axes = node.Inputs is [_, _, _, { Length: > 0 } named] ? ["", named] : [];
        if (Attributes.Text(node, "mode", "constant") != "constant")
        {
            Moved(tape, node with { Inputs = [node.Inputs[0], node.Inputs[1], .. axes] });
            return;
        }
        string back = tape.Node("Neg", [node.Inputs[1]]);
        tape.Give(node.Inputs[0], tape.Node("Pad", [tape.Gradient(node.Outputs[0])!, back, .. axes]));
    }

    // The block's two places are dimensions of their own, before or behind the channels.
    public static void DepthToSpace(GradientTape tape, NodeProto node)
    {
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        long side = Attributes.Integer(node, "blocksize", 1);
        long[] order = Attributes.Text(node, "mode", "DCR") == "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
        string apart = tape.Reshape(tape.Gradient(node.Outputs[0])!, [shape[0], shape[1] / (side * side), shape[2], side, shape[3], side]);
        tape.Give(node.Inputs[0], tape.Reshape(tape.Node("Transpose", [apart], AttributeProto.Of("perm", order)), shape));
    }

    public static void SpaceToDepth(GradientTape tape, NodeProto node)
    {
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        long side = Attributes.Integer(node, "blocksize", 1);
        string apart = tape.Reshape(tape.Gradient(node.Outputs[0])!, [shape[0], side, side, shape[1], shape[2] / side, shape[3] / side]);
        tape.Give(node.Inputs[0], tape.Reshape(tape.Node("Transpose", [apart], AttributeProto.Of("perm", 0L, 3L, 4L, 1L, 5L, 2L)), shape));
    }

    // The same operator over the elements' own places says where each went.
    public static void Moved(GradientTape tape, NodeProto node)
    {
        if (node.Inputs.Skip(1).Any(tape.Wants))
            throw GradientTape.Refused($"{node.OpType} '{node.Name}' takes places from the input.");
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        long count = shape.Aggregate(1L, (product, dimension) => product * dimension);
        long[] places = new long[checked((int)count)];
        for (int i = 0; i < places.Length; i++)
            places[i] = i;
        string[] moved = tape.Nodes(node.OpType, [tape.Integers(shape.AsSpan(), places), .. node.Inputs[1..]], node.Outputs.Length, node.Attributes.AsSpan());
        for (int i = 0; i < moved.Length; i++)
            if (tape.Gradient(node.Outputs[i]) is { } gradient)
                tape.Give(node.Inputs[0], tape.Scatter(gradient, moved[i], shape));
    }
}
