using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Transposed;

/// <summary>Measures every value's type and shape by running a graph once, on zeros, with all of its values as outputs.</summary>
internal static class ValueProbe
{
    public static IReadOnlyDictionary<string, ValueShape> Run(ModelProto model, IReadOnlyDictionary<string, long[]>? inputShapes)
    {
        string[] names = [.. model.Graph.Nodes.SelectMany(node => node.Outputs).Where(name => name.Length > 0).Distinct()];
        ModelProto open = model with { Graph = model.Graph with { Outputs = [.. names.Select(name => new ValueInfoProto { Name = name })], ValueInfo = [] } };
        using var session = OrtSession.FromMemory(open.ToBytes(), new OrtSessionOptions { Level = GraphOptimization.None });
        Dictionary<string, ValueShape> values = [];
        foreach (TensorProto tensor in model.Graph.Initializers)
            values[tensor.Name] = new ValueShape((TensorElementType)tensor.DataType, tensor.Dims);
        var inputs = new List<OrtTensor>();
        var outputs = new OrtTensor?[names.Length];
        try
        {
            foreach (TensorInfo input in session.Inputs)
            {
                long[] shape = Shape(input, inputShapes?.GetValueOrDefault(input.Name));
                inputs.Add(OrtTensor.Allocate(input.Type, shape));
                values[input.Name] = new ValueShape(input.Type, [.. shape]);
            }
            session.Run([.. inputs], outputs);
            for (int i = 0; i < names.Length; i++)
                values[names[i]] = new ValueShape(outputs[i]!.Type, [.. outputs[i]!.Shape]);
        }
        finally
        {
            foreach (OrtTensor? tensor in inputs.Concat(outputs))
                tensor?.Dispose();
        }
        return values;
    }

    // The first dimension is the batch wherever it is open.
    private static long[] Shape(TensorInfo input, long[]? given)
    {
        long[] shape = given ?? [.. input.Shape.Select((dimension, i) => i == 0 && dimension < 0 ? 1 : dimension)];
        if (input.Mismatch(input.Type, shape.Select(dimension => Math.Max(dimension, 0)).ToArray()) is { } problem)
            throw GradientTape.Refused("The input " + problem);
        return shape.All(dimension => dimension >= 0)
            ? shape
            : throw GradientTape.Refused($"The input '{input.Name}' leaves more open than the batch; name its shape.");
    }
}
