using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>
/// Resize in any of its modes is, side by side, a product with a matrix that the sizes alone determine. The same operator over the unit
/// vectors of a side gives the matrix; the gradient is the product with it turned.
/// </summary>
internal static class ResizeRules
{
    public static void Resize(GradientTape tape, NodeProto node)
    {
        if (Attributes.Text(node, "coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize" || Attributes.Text(node, "keep_aspect_ratio_policy", "stretch") != "stretch")
            throw GradientTape.Refused($"Resize '{node.Name}' crops, or keeps the sides' relation; only whole and free ones have a gradient rule here.");
        if (node.Inputs.Skip(1).Any(tape.Wants))
            throw GradientTape.Refused($"Resize '{node.Name}' takes its sizes from the input.");
        ImmutableArray<long> from = tape.Shape(node.Inputs[0]), to = tape.Shape(node.Outputs[0]);
        string? scales = node.Inputs is [_, _, _, { Length: > 0 }, ..] ? null : Scales(tape, node, from.Length);
        AttributeProto[] attributes = [.. node.Attributes.Where(attribute => attribute.Name != "axes")];
        string gradient = tape.Gradient(node.Outputs[0])!;
        // Where every side keeps its length ONNX Runtime copies, whatever the factors; where one does not, it moves the others' elements too.
        for (int side = 0; side < from.Length && !from.AsSpan().SequenceEqual(to.AsSpan()); side++)
        {
            if (from[side] == to[side] && (scales is null || Factor(tape, node, side) == 1))
                continue;
            string matrix = Matrix(tape, scales, attributes, from, to, side);
            long[] last = [.. Enumerable.Range(0, from.Length).Where(i => i != side).Append(side).Select(i => (long)i)];
            long[] back = [.. Enumerable.Range(0, from.Length).Select(i => (long)Array.IndexOf(last, i))];
            gradient = tape.Node("MatMul", [tape.Node("Transpose", [gradient], AttributeProto.Of("perm", last)), matrix]);
            gradient = tape.Node("Transpose", [gradient], AttributeProto.Of("perm", back));
        }
        tape.Give(node.Inputs[0], gradient);
    }

    // From the new places of a side to the old ones: what each unit vector along the side becomes, the vectors side by side in another dimension.
    private static string Matrix(GradientTape tape, string? scales, AttributeProto[] attributes, ImmutableArray<long> from, ImmutableArray<long> to, int side)
    {
        int rank = from.Length, beside = side >= 2 ? 1 : rank - 1;
        if (beside == side)
            throw GradientTape.Refused("A Resize of so few dimensions has no gradient rule here.");
        long[] shape = [.. Enumerable.Repeat(1L, rank)], made = [.. shape];
        shape[side] = shape[beside] = made[beside] = from[side];
        made[side] = to[side];
        float[] units = new float[checked(from[side] * from[side])];
        for (long i = 0; i < from[side]; i++)
            units[i * from[side] + i] = 1;
        string vectors = tape.Constant(shape, units);
        string grown;
        if (scales is null)
        {
            grown = tape.Node("Resize", [vectors, "", "", tape.Integers(made)], attributes);
        }
        else if (from[side] == to[side] && Enumerable.Range(2, rank - 2).FirstOrDefault(i => i != side) is > 0 and var other)
        {
            // So that it does not copy, one more side becomes two of the same.
            grown = tape.Node("Resize", [vectors, "", Set(tape, One(tape, scales, rank, side), other, tape.Constant([1], [2]))], attributes);
            grown = tape.Node("Slice", [grown, tape.Integers(0), tape.Integers(1), tape.Integers(other)]);
        }
        else
        {
            grown = tape.Node("Resize", [vectors, "", One(tape, scales, rank, side)], attributes);
        }
        return side < beside
            ? tape.Reshape(grown, [to[side], from[side]])
            : tape.Node("Transpose", [tape.Reshape(grown, [from[side], to[side]])], AttributeProto.Of("perm", 1L, 0L));
    }

    /// <summary>The scales with those of other sides set to 1.</summary>
    private static string One(GradientTape tape, string scales, int rank, int side) =>
        Set(tape, Ones(tape, rank), side, tape.Node("Gather", [scales, tape.Integers(side)]));

    private static string Set(GradientTape tape, string scales, int side, string factor) =>
        tape.Node("ScatterElements", [scales, tape.Integers(side), factor], AttributeProto.Of("axis", 0L));

    // One number a dimension, also where only some are named.
    private static string Scales(GradientTape tape, NodeProto node, int rank)
    {
        string scales = node.Inputs[2];
        if (Attributes.Find(node, "axes") is not { } axes)
            return scales;
        long[] places = [.. axes.Ints.Select(axis => (axis + rank) % rank)];
        return tape.Node("ScatterElements", [Ones(tape, rank), tape.Integers(places), scales], AttributeProto.Of("axis", 0L));
    }

    private static float? Factor(GradientTape tape, NodeProto node, int side) =>
        Attributes.Find(node, "axes") is null && tape.Known(node.Inputs[2]) is { DataType: TensorDataType.Float } known ? known.ToFloats()[side] : null;

    private static string Ones(GradientTape tape, int rank) => tape.Constant([rank], [.. Enumerable.Repeat(1f, rank)]);
}
