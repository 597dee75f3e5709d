using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>How parts, run one after the other, compare with the whole on one input: the check before parts are used in its place.</summary>
/// <param name="SameBits">Whether every bit of every output is equal.</param>
/// <param name="LargestDifference">The largest difference, as a share of the largest number of that output; 1 where something other than a fraction differs.</param>
public sealed record PartsComparison(bool SameBits, double LargestDifference)
{
    /// <summary>Runs the whole and the parts on fractions of [-2, 2) that are drawn from a seed, and on zeros for inputs that are no fractions.</summary>
    /// <param name="graph">The whole.</param>
    /// <param name="parts">Its parts.</param>
    /// <param name="level">How far ONNX Runtime rewrites each.</param>
    /// <param name="seed">What the input is drawn from.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime cannot load or run one of them.</exception>
    public static PartsComparison Run(ModelGraph graph, PartitionedModel parts, GraphOptimization level = GraphOptimization.Basic, int seed = 1)
    {
        var held = new List<OrtTensor>();
        try
        {
            var random = new Random(seed);
            var inputs = new Dictionary<string, OrtTensor>(StringComparer.Ordinal);
            foreach (GraphValue input in graph.Inputs)
                inputs.Add(input.Name, Hold(Draw(input, random)));
            var options = new OrtSessionOptions { Level = level };
            Dictionary<string, OrtTensor> whole = RunOne(graph.Model, inputs), given = inputs;
            foreach (ModelProto? part in new[] { parts.Front, parts.Back, parts.Tail })
                given = part is null ? given : RunOne(part, given);
            var compared = whole.Select(output => Compare(output.Value, given[output.Key])).ToArray();
            return new PartsComparison(compared.All(one => one.SameBits), compared.Max(one => one.LargestDifference));

            Dictionary<string, OrtTensor> RunOne(ModelProto model, Dictionary<string, OrtTensor> with)
            {
                using OrtSession session = OrtSession.FromMemory(model.ToBytes(), options);
                return session.Outputs.Zip(session.Run(with)).ToDictionary(pair => pair.First.Name, pair => Hold(pair.Second), StringComparer.Ordinal);
            }
        }
        finally
        {
            foreach (OrtTensor tensor in held)
                tensor.Dispose();
        }

        OrtTensor Hold(OrtTensor tensor)
        {
            held.Add(tensor);
            return tensor;
        }
    }

    private static OrtTensor Draw(GraphValue input, Random random)
    {
        OrtTensor tensor = ShapeProbe.Zeros(input.Type, [.. input.Shape]);
        switch (input.Type)
        {
            case TensorElementType.Float:
                foreach (ref float value in tensor.Span<float>())
                    value = Fraction();
                break;
            case TensorElementType.Float16:
                foreach (ref Half value in tensor.Span<Half>())
                    value = (Half)Fraction();
                break;
            case TensorElementType.Double:
                foreach (ref double value in tensor.Span<double>())
                    value = Fraction();
                break;
            default:
                break;
        }
        return tensor;

#pragma warning disable CA5394 // test input, no secret
        float Fraction() => random.NextSingle() * 4 - 2;
#pragma warning restore CA5394
    }

    private static PartsComparison Compare(OrtTensor whole, OrtTensor composed)
    {
        if (whole.Type != composed.Type || !whole.Shape.SequenceEqual(composed.Shape))
            return new PartsComparison(false, 1);
        if (whole.Type == TensorElementType.String)
            return whole.ReadStrings().AsSpan().SequenceEqual(composed.ReadStrings()) ? new PartsComparison(true, 0) : new PartsComparison(false, 1);
        if (whole.Bytes.SequenceEqual(composed.Bytes))
            return new PartsComparison(true, 0);
        double[]? one = Numbers(whole), other = Numbers(composed);
        if (one is null || other is null)
            return new PartsComparison(false, 1);
        // Where there are infinities or what is no number, and bits differ, nothing vouches for the parts.
        if (!one.All(double.IsFinite) || !other.All(double.IsFinite))
            return new PartsComparison(false, 1);
        double largest = one.Max(Math.Abs), difference = one.Zip(other).Max(pair => Math.Abs(pair.First - pair.Second));
        return new PartsComparison(false, largest > 0 ? difference / largest : difference > 0 ? 1 : 0);
    }

    private static double[]? Numbers(OrtTensor tensor) => tensor.Type switch
    {
        TensorElementType.Float => [.. tensor.Span<float>().ToArray().Select(value => (double)value)],
        TensorElementType.Float16 => [.. tensor.Span<Half>().ToArray().Select(value => (double)value)],
        TensorElementType.Double => tensor.Span<double>().ToArray(),
        _ => null,
    };
}
