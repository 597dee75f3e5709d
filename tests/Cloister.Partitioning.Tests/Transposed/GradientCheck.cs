using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Transposed;

namespace Cloister.Partitioning.Tests.Transposed;

/// <summary>Compares an emitted gradient with differences of the forward graph, both against one random upstream gradient.</summary>
internal sealed class GradientCheck : IDisposable
{
    private readonly OrtSession _forward, _transposed;
    private readonly long[] _shape;
    private readonly float[][] _upstream;

    public GradientCheck(ModelProto front, float[] x, int seed = 7, IReadOnlyDictionary<string, long[]>? shapes = null)
    {
        _forward = OrtSession.FromMemory(front.ToBytes(), new OrtSessionOptions { Level = GraphOptimization.Basic });
        _transposed = OrtSession.FromMemory(TransposedGraph.Emit(front, shapes).ToBytes(), new OrtSessionOptions { Level = GraphOptimization.Basic });
        _shape = [.. _transposed.Inputs[0].Shape];
        var random = new Random(seed);
        _upstream = [.. _transposed.Inputs.Skip(1).Select(input => Enumerable.Range(0, (int)Count(input.Shape)).Select(_ => (float)(random.NextDouble() * 2 - 1)).ToArray())];
        Gradient = Transposed(x);
    }

    /// <summary>The emitted gradient.</summary>
    public float[] Gradient { get; }

    /// <summary>The inner product of the forward outputs and the upstream gradients.</summary>
    public double Value(float[] x)
    {
        double sum = 0;
        float[][] outputs = Run(_forward, [x]);
        for (int i = 0; i < outputs.Length; i++)
            for (int j = 0; j < outputs[i].Length; j++)
                sum += (double)outputs[i][j] * _upstream[i][j];
        return sum;
    }

    /// <summary>The central difference along one coordinate.</summary>
    public double Difference(float[] x, int coordinate, float step)
    {
        float[] above = [.. x], below = [.. x];
        above[coordinate] += step;
        below[coordinate] -= step;
        return (Value(above) - Value(below)) / ((double)above[coordinate] - below[coordinate]);
    }

    /// <summary>Demands that the gradient is what differences say, at some coordinates of an input whose elements lie apart.</summary>
    public void DemandEqual(float[] x, IEnumerable<int> coordinates, string where)
    {
        double largest = Math.Max(Gradient.Max(Math.Abs), 1e-3);
        int kinks = 0, all = 0;
        foreach (int i in coordinates)
        {
            // Sums of 32-bit floats say little below 1e-3 of the largest; a kink between the two points is no fault of the rule.
            all++;
            double expected = Difference(x, i, 4e-3f);
            if (Math.Abs(expected - Gradient[i]) <= 4e-3 * largest)
                continue;
            Assert.True(Math.Abs(Difference(x, i, 5e-4f) - Gradient[i]) < 1e-2 * largest, $"{where}, element {i}: {Gradient[i]} and not {expected}");
            kinks++;
        }
        Assert.True(kinks <= all / 14, $"{where}: {kinks} kinks of {all}");
    }

    /// <summary>The difference along one coordinate, to one side.</summary>
    public double Step(float[] x, int coordinate, float step)
    {
        float[] moved = [.. x];
        moved[coordinate] += step;
        return (Value(moved) - Value(x)) / ((double)moved[coordinate] - x[coordinate]);
    }

    public void Dispose()
    {
        _forward.Dispose();
        _transposed.Dispose();
    }

    private static long Count(IEnumerable<long> shape) => shape.Aggregate(1L, (product, side) => product * side);

    private float[] Transposed(float[] x)
    {
        float[][] outputs = Run(_transposed, [x, .. _upstream]);
        float[][] forward = Run(_forward, [x]);
        for (int i = 0; i < forward.Length; i++)
            for (int j = 0; j < forward[i].Length; j++)
                Assert.Equal(forward[i][j], outputs[i][j], 1e-4f * Math.Max(1, Math.Abs(forward[i][j])));
        return outputs[^1];
    }

    private float[][] Run(OrtSession session, float[][] values)
    {
        OrtTensor[] inputs = [.. values.Select((value, i) => OrtTensor.OverPinned(value.AsMemory(), i == 0 ? _shape : [.. session.Inputs[i].Shape]))];
        var outputs = new OrtTensor?[session.Outputs.Count];
        session.Run(inputs, outputs);
        float[][] read = [.. outputs.Select(output => output!.Span<float>().ToArray())];
        foreach (OrtTensor? tensor in inputs.Concat(outputs))
            tensor!.Dispose();
        return read;
    }
}
