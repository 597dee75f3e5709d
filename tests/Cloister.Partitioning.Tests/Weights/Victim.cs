using System.Runtime.InteropServices;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Transposed;

namespace Cloister.Partitioning.Tests.Weights;

/// <summary>Models made from a public one, by seed.</summary>
internal static class Victim
{
    /// <summary>Adds noise to weights, so long as their own length times <paramref name="strength"/>.</summary>
    public static ModelProto Perturbed(ModelProto known, double strength, int seed, Func<string, bool>? which = null) => Changed(known, which, (values, random) =>
    {
        double scale = strength * Length(values);
        return [.. values.Select(value => (float)(value + scale * Gauss(random)))];
    }, seed);

    /// <summary>Weights made apart from the public ones, of the same spread.</summary>
    public static ModelProto Random(ModelProto known, int seed, Func<string, bool>? which = null) =>
        Changed(known, which, (values, random) => { double scale = Length(values); return [.. values.Select(_ => (float)(scale * Gauss(random)))]; }, seed);

    /// <summary>Rows of the last layer in another order, and a little noise: another task on the same features.</summary>
    public static ModelProto WithOtherHead(ModelProto known, int seed)
    {
        NodeProto gemm = known.Graph.Nodes.Last(node => node.OpType == "Gemm");
        int[] order = [.. Enumerable.Range(0, 10).Select(i => (i + 3) % 10)];
        return Changed(known, gemm.Inputs.Contains, (values, random) =>
        {
            int row = values.Length / order.Length;
            return [.. order.SelectMany(i => values.Skip(i * row).Take(row)).Select(value => (float)(value + 0.02 * Gauss(random)))];
        }, seed);
    }

    public static ModelProto InHalves(ModelProto known) => known with
    {
        Graph = known.Graph with
        {
            Initializers =
            [
                .. known.Graph.Initializers.Select(tensor => tensor.DataType != TensorDataType.Float ? tensor : new TensorProto
                {
                    Name = tensor.Name, Dims = tensor.Dims, DataType = TensorDataType.Float16,
                    RawData = MemoryMarshal.AsBytes<Half>(tensor.ToFloats().Select(value => (Half)value).ToArray()).ToArray(),
                }),
            ],
            Inputs = [.. known.Graph.Inputs.Select(Half)],
            Outputs = [.. known.Graph.Outputs.Select(Half)],
            ValueInfo = [],
        },
    };

    public static ModelProto Changed(ModelProto known, Func<string, bool>? which, Func<float[], Random, float[]> change, int seed)
    {
        var random = new Random(seed);
        return known with
        {
            Graph = known.Graph with
            {
                Initializers =
                [
                    .. known.Graph.Initializers.Select(tensor => tensor.DataType == TensorDataType.Float && tensor.ElementCount() > 1 && which?.Invoke(tensor.Name) != false
                        ? TensorProto.Of(tensor.Name, tensor.Dims.AsSpan(), change(tensor.ToFloats(), random))
                        : tensor),
                ],
            },
        };
    }

    /// <summary>Names of the weights before a tensor.</summary>
    public static HashSet<string> Front(ModelProto model, string tensor) => [.. FrontGraph.Of(model, [tensor]).Graph.Initializers.Select(weight => weight.Name)];

    private static ValueInfoProto Half(ValueInfoProto value) =>
        value with { Type = value.Type! with { TensorType = value.Type.TensorType! with { ElementType = TensorDataType.Float16 } } };

    private static double Length(float[] values) => Math.Sqrt(values.Average(value => (double)value * value));

    private static double Gauss(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
