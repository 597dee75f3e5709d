using System.Diagnostics;
using System.Security.Cryptography;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>
/// What the way to another process and back costs, by transport and size, with a model that does nothing: run this assembly as a program,
/// built with <c>-c Release</c>. Nothing is asserted of it.
/// </summary>
internal static class TransportLatency
{
    private const int Warmup = 100, Rounds = 600;

    public static async Task PrintAsync()
    {
        Console.WriteLine("microseconds there and back, median (lowest tenth); model: y = -x, one request at a time");
        foreach (int elements in new[] { 75 * 256, 300 * 256, 400 * 1024 })
        {
            float[] values = [.. Enumerable.Range(0, elements).Select(i => (float)i)];
            using OrtTensor input = OrtTensor.OverPinned(values.AsMemory(), [1, elements]);
            using BackNet back = BackNet.Open(Model(elements));
            Console.WriteLine($"{4 * elements} bytes each way: inside {Text(Times(() => back.RunInside([input])[0].Dispose()))}, CRC digest {Text(Times(() => Digest(input.Bytes)))}, SHA-256 {Text(Times(() => SHA256.HashData(input.Bytes)))}");
            foreach (string transport in new[] { "unix", "tcp", "shm" })
                Console.WriteLine($"  {transport,-4} {await MeasureAsync(transport, back, input)}");
        }
    }

    private static async Task<string> MeasureAsync(string transport, BackNet back, OrtTensor input)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("acc-");
        AcceleratorAddress address = AcceleratorAddress.Parse(transport == "tcp" ? "tcp:127.0.0.1:47110" : $"{transport}:{folder.FullName}/a.sock");
        using Process accelerator = await ChildAccelerator.StartAsync(address);
        try
        {
            await using AcceleratorPool pool = AcceleratorPool.Start(back, [address], new AcceleratorPoolOptions(), NullLogger.Instance);
            await pool.ReadyAsync(CancellationToken.None);
            var times = new List<double>();
            for (int i = 0; i < Warmup + Rounds; i++)
            {
                long start = Stopwatch.GetTimestamp();
                OrtTensor[] outputs = await pool.RunAsync([input], RunningHost.Patience, CancellationToken.None);
                if (i >= Warmup) times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
                outputs[0].Dispose();
            }
            AcceleratorStatistics sums = pool.Statistics;
            double each = 1e6 / sums.Answered;
            return $"{Text(times)}; of it on average {sums.QueueSeconds * each:f0} queue, {sums.SendSeconds * each:f0} send, {sums.AwaySeconds * each:f0} away, {sums.ReadSeconds * each:f0} read";
        }
        finally
        {
            accelerator.Kill();
            await accelerator.WaitForExitAsync();
            folder.Delete(recursive: true);
        }
    }

    private static List<double> Times(Action work)
    {
        var times = new List<double>();
        for (int i = 0; i < Warmup + Rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            if (i >= Warmup) times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
        return times;
    }

    private static string Text(List<double> times)
    {
        times.Sort();
        return $"{times[times.Count / 2]:f0} ({times[times.Count / 10]:f0})";
    }

    private static void Digest(ReadOnlySpan<byte> bytes)
    {
        var digest = new InputDigest();
        digest.Append(bytes);
        digest.Finish(stackalloc byte[InputDigest.Size]);
    }

    private static byte[] Model(int elements) => TinyModels.Proto(
        [ValueInfoProto.Tensor("x", TensorDataType.Float, "N", elements)], [ValueInfoProto.Tensor("y", TensorDataType.Float, "N", elements)], [],
        new NodeProto { OpType = "Neg", Inputs = ["x"], Outputs = ["y"] }).ToBytes();
}
