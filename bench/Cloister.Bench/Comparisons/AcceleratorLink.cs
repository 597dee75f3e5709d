using System.Diagnostics;
using System.Runtime.CompilerServices;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Bench;

/// <summary>The way to an accelerator process and back, by transport and size, with a model that only changes signs; beside the same model inside.</summary>
internal sealed class AcceleratorLink : IComparison
{
    private const int WarmUp = 100, Rounds = 500, Tcp = 47110;

    public string Name => "accelerator-link";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (int kibibytes in (int[])[75, 300, 1600])
        {
            int elements = kibibytes * 256;
            using BackNet back = BackNet.Open(Negation(elements).ToBytes());
            using OrtSession session = OrtSession.FromMemory(Negation(elements).ToBytes());
            using OrtTensor input = OrtTensor.Allocate<float>([1, elements]);
            input.Span<float>().Fill(1);
            double inside = Inside(session, input);
            foreach (string transport in (string[])["unix", "shm", "tcp", "tls"])
                yield return new Figure($"link: {kibibytes} KiB each way, {transport}", await AwayAsync(back, transport, input, cancellation), inside, "us", "the same model inside", double.PositiveInfinity);
        }
    }

    private static async Task<double> AwayAsync(BackNet back, string transport, OrtTensor input, CancellationToken cancellation)
    {
        AcceleratorAddress address = AcceleratorAddress.Parse(transport is "tcp" or "tls" ? $"{transport}:127.0.0.1:{Tcp}" : $"{transport}:{Path.Combine(Path.GetTempPath(), $"cloister-link-{Environment.ProcessId}.sock")}");
        using AcceleratorChild accelerator = await AcceleratorChild.StartAsync(address, cancellation);
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions(), NullLogger.Instance);
        await pool.ReadyAsync(cancellation);
        var times = new List<double>();
        for (int i = 0; i < WarmUp + Rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            OrtTensor[] outputs = await pool.RunAsync([input], TimeSpan.FromMinutes(1), cancellation);
            if (i >= WarmUp) times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            outputs[0].Dispose();
        }
        return Samples.Median(times);
    }

    private static double Inside(OrtSession session, OrtTensor input)
    {
        var times = new List<double>();
        for (int i = 0; i < WarmUp + Rounds; i++)
        {
            var outputs = new OrtTensor?[1];
            long start = Stopwatch.GetTimestamp();
            session.Run([input], outputs);
            if (i >= WarmUp) times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            outputs[0]!.Dispose();
        }
        return Samples.Median(times);
    }

    private static ModelProto Negation(int elements) => new()
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto
        {
            Name = "negation",
            Nodes = [new NodeProto { OpType = "Neg", Inputs = ["x"], Outputs = ["y"] }],
            Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, "N", elements)],
            Outputs = [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", elements)],
        },
    };
}
