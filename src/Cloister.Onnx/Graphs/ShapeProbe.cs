using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>A value's type, and its shape in a run with one item and, where the batch is free, in one with two.</summary>
internal readonly record struct MeasuredValue(TensorElementType Type, ImmutableArray<long> One, ImmutableArray<long> Two);

/// <summary>What running a model showed.</summary>
/// <param name="Values">Every value by name.</param>
/// <param name="Batch">The name of the batch dimension; null where the model has none.</param>
internal sealed record MeasuredValues(Dictionary<string, MeasuredValue> Values, string? Batch)
{
    public bool HasBatch => Batch is not null;
}

/// <summary>Measures types and shapes by running a model on zeros with every value as an output: ONNX Runtime's word, not the file's.</summary>
internal static class ShapeProbe
{
    /// <summary>4 GiB of single precision: all values are in memory at once while a model is measured.</summary>
    private const long LargestRun = 1 << 30;

    private static readonly OrtSessionOptions AsItStands = new() { Level = GraphOptimization.None, DisablePrepacking = true };

    public static MeasuredValues Run(GraphStructure structure, ImmutableArray<ProbeInput> inputs)
    {
        GraphProto graph = structure.Model.Graph;
        string[] made = [.. structure.Names.Where(name => structure.Producer(name) != GraphValue.NoNode)];
        ModelProto probe = structure.Model with
        {
            Graph = graph with
            {
                Inputs =
                [
                    .. inputs.Select(Typed),
                    .. graph.Inputs.Where(input => structure.Weights.ContainsKey(input.Name)),
                ],
                // A name alone: ONNX Runtime infers the type.
                Outputs = [.. made.Select(name => new ValueInfoProto { Name = name })],
                ValueInfo = [],
            },
        };
        using OrtSession session = OrtSession.FromMemory(probe.ToBytes(), AsItStands);
        DemandRoom(session);
        (TensorElementType Type, long[] Shape)[] one = Measure(session, inputs, items: 1);
        string? batch = inputs.FirstOrDefault(input => input.Batch is not null)?.Batch;
        (TensorElementType Type, long[] Shape)[] two = one;
        if (batch is not null)
        {
            try
            {
                two = Measure(session, inputs, items: 2);
            }
            catch (OnnxRuntimeException)
            {
                // It states a free batch and computes one item only, as models with a fixed Reshape do: its batch is 1.
                batch = null;
            }
        }

        var values = new Dictionary<string, MeasuredValue>(StringComparer.Ordinal);
        foreach (ProbeInput input in inputs)
            values.Add(input.Name, new((TensorElementType)input.Type, input.Shape, [.. Shape(input, batch is null || input.Batch is null ? 1 : 2)]));
        foreach (TensorProto weight in structure.Weights.Values)
            values.Add(weight.Name, new((TensorElementType)weight.DataType, weight.Dims, weight.Dims));
        for (int i = 0; i < made.Length; i++)
        {
            if (one[i].Shape.Length != two[i].Shape.Length)
                throw new GraphException(GraphError.DynamicShape, $"The value '{made[i]}' has another number of dimensions with two items than with one.");
            values.Add(made[i], new(one[i].Type, [.. one[i].Shape], [.. two[i].Shape]));
        }
        return new MeasuredValues(values, batch);
    }

    // What ONNX Runtime infers without running: a few bytes can ask for terabytes. Dimensions that it does not infer count as 1.
    private static void DemandRoom(OrtSession session)
    {
        UInt128 elements = 0;
        foreach (TensorInfo value in session.Outputs)
        {
            elements += value.Shape.Aggregate(UInt128.One, (product, dimension) => product > LargestRun ? product : product * (UInt128)Math.Max(1, dimension));
        }
        if (elements > LargestRun)
            throw new GraphException(GraphError.TooLarge, $"The values of one item have more than {LargestRun} elements together.");
    }

    private static ValueInfoProto Typed(ProbeInput input) => ValueInfoProto.Tensor(
        input.Name, input.Type, [.. input.Shape.Select((size, i) => i == 0 && input.Batch is { } name ? Dimension.FromString(name) : Dimension.FromInt64(size))]);

    private static long[] Shape(ProbeInput input, int items)
    {
        long[] shape = [.. input.Shape];
        if (input.Batch is not null)
            shape[0] = items;
        return shape;
    }

    private static (TensorElementType Type, long[] Shape)[] Measure(OrtSession session, ImmutableArray<ProbeInput> inputs, int items)
    {
        var given = new Dictionary<string, OrtTensor>(StringComparer.Ordinal);
        OrtTensor[] outputs = [];
        try
        {
            foreach (ProbeInput input in inputs)
                given.Add(input.Name, Zeros((TensorElementType)input.Type, Shape(input, items)));
            outputs = session.Run(given);
            return [.. outputs.Select(output => (output.Type, output.Shape.ToArray()))];
        }
        finally
        {
            foreach (OrtTensor tensor in given.Values.Concat(outputs))
                tensor.Dispose();
        }
    }

    internal static OrtTensor Zeros(TensorElementType type, long[] shape)
    {
        if (type != TensorElementType.String)
            return OrtTensor.Allocate(type, shape);
        string[] texts = new string[shape.Aggregate(1L, (product, dimension) => product * dimension)];
        Array.Fill(texts, "");
        return OrtTensor.FromStrings(texts, shape);
    }
}
