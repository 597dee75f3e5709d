using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed.Rules;

/// <summary>The geometry of a sliding window (Conv, AveragePool), one number a spatial dimension.</summary>
/// <param name="Kernel">The window.</param>
/// <param name="Strides">Steps.</param>
/// <param name="Dilations">Distances within the window.</param>
/// <param name="Begin">Pads before the input.</param>
/// <param name="End">Pads after the input.</param>
/// <param name="Input">The input's size.</param>
/// <param name="Output">How many places the window stands at.</param>
internal sealed record Window(
    ImmutableArray<long> Kernel, ImmutableArray<long> Strides, ImmutableArray<long> Dilations, ImmutableArray<long> Begin, ImmutableArray<long> End,
    ImmutableArray<long> Input, ImmutableArray<long> Output)
{
    public static Window Of(GradientTape tape, NodeProto node, ImmutableArray<long> kernel)
    {
        int rank = kernel.Length;
        ImmutableArray<long> input = tape.Shape(node.Inputs[0])[2..], output = tape.Shape(node.Outputs[0])[2..];
        ImmutableArray<long> strides = Attributes.Integers(node, "strides", rank, 1), dilations = Attributes.Integers(node, "dilations", rank, 1);
        ImmutableArray<long> pads = Attributes.Integers(node, "pads", 2 * rank, 0);
        ImmutableArray<long> begin = pads[..rank], end = pads[rank..];
        string same = Attributes.Text(node, "auto_pad", "NOTSET");
        if (same is "SAME_UPPER" or "SAME_LOWER")
        {
            long[] whole = [.. Enumerable.Range(0, rank).Select(i => Math.Max(0, (output[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - input[i]))];
            begin = [.. whole.Select(pad => same == "SAME_UPPER" ? pad / 2 : pad - pad / 2)];
            end = [.. whole.Select((pad, i) => pad - begin[i])];
        }
        return new Window(kernel, strides, dilations, begin, end, input, output);
    }

    /// <summary>How far the last window reaches, from the first pad on.</summary>
    public long Reach(int dimension) => (Output[dimension] - 1) * Strides[dimension] + (Kernel[dimension] - 1) * Dilations[dimension] + 1;

    /// <summary>One over how many elements of the input each window holds; 0 for one that holds none.</summary>
    public float[] OneOverHeld()
    {
        double[] shares = [1];
        for (int i = 0; i < Kernel.Length; i++)
        {
            double[] side = [.. Enumerable.Range(0, (int)Output[i]).Select(place => Held(i, place) is > 0 and var held ? 1.0 / held : 0)];
            shares = [.. shares.SelectMany(before => side.Select(share => before * share))];
        }
        return [.. shares.Select(share => (float)share)];
    }

    private long Held(int dimension, int place) => Enumerable.Range(0, (int)Kernel[dimension])
        .Select(i => place * Strides[dimension] + i * Dilations[dimension] - Begin[dimension])
        .Count(at => at >= 0 && at < Input[dimension]);
}
