using System.Runtime.InteropServices;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>Runs a model whole and in parts on the same input.</summary>
internal static class Composition
{
    /// <summary>Inputs drawn from a seed: numbers in [-2, 2), half-precision ones in [-100, 100), integers below 500.</summary>
    public static Dictionary<string, OrtTensor> Inputs(ModelGraph graph, int items = 1, int seed = 1)
    {
        var random = new Random(seed);
        return graph.Inputs.ToDictionary(input => input.Name, input =>
        {
            long[] shape = [.. input.Shape];
            if (input.BatchFirst)
                shape[0] = items;
            var tensor = OrtTensor.Allocate(input.Type, shape);
            switch (input.Type)
            {
                case TensorElementType.Float: Fill<float>(tensor, () => random.NextSingle() * 4 - 2); break;
                case TensorElementType.Float16: Fill(tensor, () => (Half)(random.NextSingle() * 200 - 100)); break;
                case TensorElementType.Int32: Fill(tensor, () => random.Next(500)); break;
                case TensorElementType.Int64: Fill<long>(tensor, () => random.Next(500)); break;
                default: throw new NotSupportedException(input.Type.ToString());
            }
            return tensor;
        });
    }

    public static OrtTensor[] Whole(ModelProto model, Dictionary<string, OrtTensor> inputs, GraphOptimization level)
    {
        using OrtSession session = Load(model, level);
        return session.Run(inputs);
    }

    /// <summary>The parts, each parsed again from its bytes, one after the other by the names of their tensors.</summary>
    public static OrtTensor[] Parts(PartitionedModel parts, Dictionary<string, OrtTensor> inputs, GraphOptimization level)
    {
        OrtTensor[] results = [];
        Dictionary<string, OrtTensor> given = inputs;
        foreach (ModelProto part in new[] { parts.Front, parts.Back, parts.Tail }.OfType<ModelProto>())
        {
            CheckerRules.Demand(part);
            using OrtSession session = Load(OnnxModel.Parse(part.ToBytes()), level);
            results = session.Run(given);
            given = session.Outputs.Zip(results).ToDictionary(pair => pair.First.Name, pair => pair.Second);
        }
        return results;
    }

    /// <summary>The largest difference of two answers, as a share of the largest number of that output; 0 only where every bit is equal.</summary>
    public static double Distance(OrtTensor[] left, OrtTensor[] right)
    {
        Assert.Equal(left.Length, right.Length);
        double worst = 0;
        foreach ((OrtTensor one, OrtTensor other) in left.Zip(right))
        {
            Assert.Equal(one.Type, other.Type);
            Assert.Equal(one.Shape.ToArray(), other.Shape.ToArray());
            if (one.Bytes.SequenceEqual(other.Bytes))
                continue;
            double[] a = Doubles(one), b = Doubles(other);
            worst = Math.Max(Math.Max(worst, double.Epsilon), a.Zip(b).Max(pair => Math.Abs(pair.First - pair.Second)) / a.Max(Math.Abs));
        }
        return worst;
    }

    public static double[] Doubles(OrtTensor tensor) => tensor.Type switch
    {
        TensorElementType.Float => [.. tensor.Span<float>().ToArray().Select(value => (double)value)],
        TensorElementType.Float16 => [.. tensor.Span<Half>().ToArray().Select(value => (double)value)],
        _ => throw new NotSupportedException(tensor.Type.ToString()),
    };

    /// <summary>
    /// The same network with numbers drawn from a seed for weights that are one value over and over, as in files that hold a topology
    /// only: with equal weights every class gets the same probability, whatever is done to the graph.
    /// </summary>
    public static ModelProto Seeded(ModelProto model)
    {
        ModelGraph graph = ModelGraph.Read(model);
        var random = new Random(7);
        var drawn = new List<TensorProto>();
        var nodes = new List<NodeProto>();
        foreach (GraphNode node in graph.Nodes)
        {
            if (!node.DependsOnInput && node.Proto.Outputs is [var name] && graph.Values[name] is { Type: TensorElementType.Float, Elements: > 1 } weight
                && graph.Nodes[weight.Consumers[0]].Proto is { OpType: "Conv" or "Gemm" or "BatchNormalization" } reader)
                drawn.Add(Draw(random, weight, reader));
            else
                nodes.Add(node.Proto);
        }
        Assert.NotEmpty(drawn);
        return model with { Graph = model.Graph with { Nodes = [.. nodes], Initializers = [.. model.Graph.Initializers, .. drawn] } };
    }

    private static TensorProto Draw(Random random, GraphValue weight, NodeProto reader)
    {
        float[] values = new float[weight.Elements];
        bool normalises = reader.OpType == "BatchNormalization";
        bool positive = normalises && reader.Inputs.IndexOf(weight.Name) is 1 or 4;
        // The last layer's are small, so that no class takes all of the softmax.
        float scale = normalises ? 0.2f : weight.Shape.Length == 1 ? 0.1f : (reader.OpType == "Gemm" ? 0.02f : 2) / MathF.Sqrt(weight.Elements / weight.Shape[0]);
        foreach (ref float value in values.AsSpan())
            value = (positive ? 1 : 0) + scale * (random.NextSingle() * 2 - 1);
        return new TensorProto { Name = weight.Name, DataType = TensorDataType.Float, Dims = weight.Shape, RawData = MemoryMarshal.AsBytes(values.AsSpan()).ToArray() };
    }

    private static void Fill<T>(OrtTensor tensor, Func<T> draw) where T : unmanaged
    {
        foreach (ref T value in tensor.Span<T>())
            value = draw();
    }

    private static OrtSession Load(ModelProto model, GraphOptimization level) =>
        OrtSession.FromMemory(model.ToBytes(), new OrtSessionOptions { Level = level });
}
