using System.Diagnostics;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>kill -9 of an accelerator under load: requests are tried again, and no answer is ever wrong.</summary>
public sealed class KilledAcceleratorTests
{
    private const int Kills = 4, Callers = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("unix")]
    [InlineData("shm")]
    public async Task A_killed_accelerator_never_makes_an_answer_wrong(string transport)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("acc-");
        AcceleratorAddress address = AcceleratorAddress.Parse($"{transport}:{folder.FullName}/a.sock");
        using BackNet back = BackNet.Open(Model());
        // A request may lose its accelerator as often as there are kills; each batch is long enough to be killed in.
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [address], new AcceleratorPoolOptions
        {
            MaximumRetries = Kills + 1, MaximumBatch = 2, StallTimeout = Patience, FirstBackoff = TimeSpan.FromMilliseconds(10), MaximumBackoff = TimeSpan.FromMilliseconds(100),
        }, NullLogger.Instance);

        using var stop = new CancellationTokenSource();
        long answers = 0;
        Task[] callers = [.. Enumerable.Range(1, Callers).Select(async caller =>
        {
            using OrtTensor input = OrtTensor.Allocate<float>([1, 64, 64]);
            for (int i = 0; i < 64; i++) input.Span<float>()[i * 65] = caller; // caller times the unit matrix
            while (!stop.IsCancellationRequested)
            {
                OrtTensor[] outputs = await pool.RunAsync([input], Patience, CancellationToken.None);
                Assert.Equal(input.Span<float>().ToArray(), outputs[0].Span<float>().ToArray());
                outputs[0].Dispose();
                Interlocked.Increment(ref answers);
            }
        })];
        for (int kill = 0; kill <= Kills; kill++)
        {
            using Process accelerator = await ChildAccelerator.StartAsync(address);
            try
            {
                long before = Interlocked.Read(ref answers);
                while (Interlocked.Read(ref answers) < before + (2 * Callers) && !callers.Any(caller => caller.IsCompleted)) await Task.Delay(1);
                if (kill < Kills) continue;
                await stop.CancelAsync();
                await Task.WhenAll(callers).WaitAsync(Patience);
            }
            finally
            {
                accelerator.Kill();
                await accelerator.WaitForExitAsync();
            }
        }
        Assert.Equal(0, pool.Statistics.Refused);
        Assert.True(pool.Statistics.Faults.Values.Sum() >= Kills);
        Assert.True(pool.Statistics.Retries > 0);
        folder.Delete(recursive: true);
    }

    // y = x, by many products with the unit matrix.
    private static byte[] Model() => new ModelProto
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Version = 13 }],
        Graph = new GraphProto
        {
            Name = "long",
            Inputs = [ValueInfoProto.Tensor("x", TensorDataType.Float, "N", 64, 64)],
            Outputs = [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", 64, 64)],
            Initializers = [TensorProto.Of("unit", [64, 64], [.. Enumerable.Range(0, 64 * 64).Select(i => i % 65 == 0 ? 1f : 0)])],
            Nodes = [.. Enumerable.Range(0, 100).Select(i => new NodeProto { OpType = "MatMul", Inputs = [i == 0 ? "x" : $"t{i - 1}", "unit"], Outputs = [i == 99 ? "y" : $"t{i}"] })],
        },
    }.ToBytes();
}
