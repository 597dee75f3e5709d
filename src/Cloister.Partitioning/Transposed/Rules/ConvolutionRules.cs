using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>Windows that slide. A convolution's gradient is ConvTranspose with the same weights; a mean's is one with a constant kernel.</summary>
internal static class ConvolutionRules
{
    public static void Conv(GradientTape tape, NodeProto node)
    {
        if (node.Inputs.Skip(1).Any(tape.Wants))
            throw GradientTape.Refused($"Conv '{node.Name}' takes its weights from the input.");
        ImmutableArray<long> kernel = tape.Shape(node.Inputs[1])[2..];
        Window window = Window.Of(tape, node, kernel);
        tape.Give(node.Inputs[0], Transposed(tape, tape.Gradient(node.Outputs[0])!, node.Inputs[1], window, Attributes.Integer(node, "group", 1)));
    }

    public static void AveragePool(GradientTape tape, NodeProto node)
    {
        Window window = Window.Of(tape, node, Attributes.Integers(node, "kernel_shape", 0, 1));
        // A channel of an item is an item, so that one kernel serves all.
        ImmutableArray<long> shape = tape.Shape(node.Inputs[0]);
        string gradient = tape.Reshape(tape.Gradient(node.Outputs[0])!, [shape[0] * shape[1], 1, .. window.Output]);
        // What a window divides by, where it holds pads or hangs over them, is told by its mean over ones: the ones that it holds, divided.
        string mean = tape.Nodes("AveragePool", [Ones(tape, [1, 1, .. window.Input])], 1, node.Attributes.AsSpan())[0];
        string share = tape.Node("Mul", [tape.Reshape(mean, [1, 1, .. window.Output]), tape.Constant([1, 1, .. window.Output], window.OneOverHeld())]);
        string spread = Transposed(tape, tape.Node("Mul", [gradient, share]), Ones(tape, [1, 1, .. window.Kernel]), window, 1);
        tape.Give(node.Inputs[0], tape.Reshape(spread, shape));
    }

    // A convolution with the same weights: what is strided here was spread there.
    public static void ConvTranspose(GradientTape tape, NodeProto node)
    {
        if (node.Inputs.Skip(1).Any(tape.Wants))
            throw GradientTape.Refused($"ConvTranspose '{node.Name}' takes its weights from the input.");
        if (Attributes.Text(node, "auto_pad", "NOTSET") is "SAME_UPPER" or "SAME_LOWER" || Attributes.Find(node, "output_shape") is not null)
            throw GradientTape.Refused($"ConvTranspose '{node.Name}' chooses its pads by its output's shape; only given ones have a gradient rule here.");
        AttributeProto[] kept = [.. node.Attributes.Where(attribute => attribute.Name is "group" or "kernel_shape" or "strides" or "dilations" or "pads")];
        tape.Give(node.Inputs[0], tape.Node("Conv", [tape.Gradient(node.Outputs[0])!, node.Inputs[1]], kept));
    }

    // The gradient goes to the element that was the largest; ONNX Runtime says which, as a place in the whole tensor.
    public static void MaxPool(GradientTape tape, NodeProto node)
    {
        if (Attributes.Integer(node, "storage_order", 0) != 0 || node.Outputs.Length > 1)
            throw GradientTape.Refused($"MaxPool '{node.Name}' counts its places itself; only the plain one has a gradient rule here.");
        tape.Give(node.Inputs[0], tape.Scatter(tape.Gradient(node.Outputs[0])!, tape.Extend(node), tape.Shape(node.Inputs[0])));
    }

    private static string Ones(GradientTape tape, ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long side in shape)
            count *= side;
        float[] ones = new float[count];
        Array.Fill(ones, 1);
        return tape.Constant(shape, ones);
    }

    private static string Transposed(GradientTape tape, string gradient, string weights, Window window, long group)
    {
        int rank = window.Kernel.Length;
        long[] pads = new long[2 * rank], more = new long[rank];
        for (int i = 0; i < rank; i++)
        {
            // What reaches past the input at the end is cut off; what no window reached is zero.
            long reach = window.Reach(i) - window.Begin[i];
            pads[i] = window.Begin[i];
            pads[rank + i] = Math.Max(0, reach - window.Input[i]);
            more[i] = Math.Max(0, window.Input[i] - reach);
        }
        string back = tape.Node(
            "ConvTranspose", [gradient, weights],
            AttributeProto.Of("group", group), AttributeProto.Of("kernel_shape", window.Kernel.AsSpan()), AttributeProto.Of("strides", window.Strides.AsSpan()),
            AttributeProto.Of("dilations", window.Dilations.AsSpan()), AttributeProto.Of("pads", pads));
        if (more.All(side => side == 0))
            return back;
        long[] end = [.. Enumerable.Repeat(0L, rank + 4), .. more];
        return tape.Node("Pad", [back, tape.Integers(end)]);
    }
}
