using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Bench;

/// <summary>What a call through the binding costs, beside the same library called from Node, in turns.</summary>
internal sealed class BindingOverhead : IComparison
{
    private const int Rounds = 5;

    public string Name => "binding";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string relu = Path.Combine(Path.GetTempPath(), $"relu-{Environment.ProcessId}.onnx");
        await File.WriteAllBytesAsync(relu, OneNode().ToBytes(), cancellation);
        try
        {
            yield return await CompareAsync("one-node Relu", relu, [1, 4], 200_000, bar: 0.7, cancellation);
        }
        finally
        {
            File.Delete(relu);
        }
        yield return await CompareAsync("shapes network", BenchContext.SampleModel, [1, 3, 32, 32], 2_000, bar: 1.0, cancellation);
        if (BenchContext.SharedModel("vision/squeezenet1.1-224.onnx") is { } squeezenet)
            yield return await CompareAsync("SqueezeNet 1.1", squeezenet, [1, 3, 224, 224], 100, bar: 1.0, cancellation);
    }

    private static async Task<Figure> CompareAsync(string name, string model, long[] shape, int runs, double bar, CancellationToken cancellation)
    {
        byte[] bytes = await File.ReadAllBytesAsync(model, cancellation);
        using OrtSession session = OrtSession.FromMemory(bytes, new OrtSessionOptions { IntraThreads = 1 });
        using OrtTensor input = OrtTensor.Allocate<float>(shape);
        var ours = new List<double>();
        var peer = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            ours.Add(CpuPerRun(session, input, runs));
            JsonNode node = await BenchContext.RunNodeAsync("run-model.mjs", cancellation, model, string.Join('x', shape), runs.ToString(System.Globalization.CultureInfo.InvariantCulture));
            peer.Add((double)node["cpuMicroseconds"]!);
        }
        return new Figure($"binding: {name}, 1 thread", Samples.Median(ours), Samples.Median(peer), "us CPU/run", "onnxruntime-node", bar);
    }

    private static double CpuPerRun(OrtSession session, OrtTensor input, int runs)
    {
        var outputs = new OrtTensor?[session.Outputs.Count];
        for (int i = 0; i < runs / 10; i++)
            session.Run([input], outputs); // warm-up; the outputs are then reused
        TimeSpan before = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < runs; i++)
            session.Run([input], outputs);
        double microseconds = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / runs;
        foreach (OrtTensor? output in outputs)
            output?.Dispose();
        return microseconds;
    }

    private static ModelProto OneNode() => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto
        {
            Name = "relu",
            Nodes = [new NodeProto { OpType = "Relu", Inputs = ["x"], Outputs = ["y"] }],
            Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, 1, 4)],
            Outputs = [ValueInfoProto.Tensor("y", TensorDataType.Float, 1, 4)],
        },
    };
}
