using System.Collections.Immutable;
using System.Diagnostics;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Bench;

/// <summary>A model whole, and the same model cut: one thread inside, one thread of an accelerator, both in turns on the same pictures.</summary>
internal sealed class InTwoParts : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly OrtSession _whole, _outside;
    private readonly PartitionedRunner _parts;
    private readonly AcceleratorPool _pool;
    private readonly BackNet _back;
    private readonly OrtTensor _input;

    private InTwoParts(OrtSession whole, OrtSession outside, PartitionedRunner parts, AcceleratorPool pool, BackNet back, OrtTensor input) =>
        (_whole, _outside, _parts, _pool, _back, _input) = (whole, outside, parts, pool, back, input);

    public static async Task<InTwoParts> OpenAsync(ModelProto model, ModelGraph graph, ImmutableArray<string> cut, AcceleratorAddress address, long[] shape, CancellationToken cancellation)
    {
        PartitionedModel parts = GraphCutter.Split(graph, cut);
        var options = new OrtSessionOptions { IntraThreads = 1 };
        byte[] bytes = parts.Back.ToBytes();
        BackNet back = BackNet.Open(bytes, options: options);
        AcceleratorPool pool = AcceleratorPool.Start(back, [address], new AcceleratorPoolOptions { MaximumBatch = 1 }, NullLogger.Instance);
        await pool.ReadyAsync(cancellation);
        OrtTensor input = OrtTensor.Allocate<float>(shape);
        var random = new Random(1);
        foreach (ref float value in input.Span<float>()) value = (float)random.NextDouble();
        return new InTwoParts(OrtSession.FromMemory(model.ToBytes(), options), OrtSession.FromMemory(bytes, options), new PartitionedRunner(OrtSession.FromMemory(parts.Front.ToBytes(), options), pool, null), pool, back, input);
    }

    /// <summary>Milliseconds of one prediction, whole and in parts, and of the part inside; with every run inside made <paramref name="slowness"/> times, divided by it.</summary>
    public async Task<(double Whole, double Parts, double Inside, double Back)> LatencyAsync(int rounds, int slowness, CancellationToken cancellation)
    {
        List<double> whole = [], parts = [], inside = [], back = [];
        for (int round = -1; round < rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < slowness; i++) Run(_whole, _input);
            double wholeTime = Since(start);

            start = Stopwatch.GetTimestamp();
            for (int i = 1; i < slowness; i++) PartitionedRunner.Erase(_parts.RunFront([_input]));
            OrtTensor[] crossing = _parts.RunFront([_input]);
            double insideTime = Since(start);
            PartitionedRunner.Erase(await _parts.RunBackAsync(crossing, Patience, cancellation));
            double partsTime = Since(start);

            crossing = _parts.RunFront([_input]);
            start = Stopwatch.GetTimestamp();
            Run(_outside, crossing);
            double backTime = Since(start);
            PartitionedRunner.Erase(crossing);
            if (round < 0) continue;
            whole.Add(wholeTime / slowness);
            parts.Add(partsTime / slowness);
            inside.Add(insideTime / slowness);
            back.Add(backTime);
        }
        return (Samples.Median(whole), Samples.Median(parts), Samples.Median(inside), Samples.Median(back));
    }

    /// <summary>Milliseconds an item where the thread inside never waits: while the accelerator computes it begins the next.</summary>
    public async Task<(double Whole, double Parts)> ThroughputAsync(int items, CancellationToken cancellation)
    {
        const int Rounds = 3, InFlight = 3;
        List<double> whole = [], parts = [];
        for (int round = 0; round < Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < items; i++) Run(_whole, _input);
            whole.Add(Since(start) / items);

            var away = new Queue<Task<OrtTensor[]>>();
            start = Stopwatch.GetTimestamp();
            for (int i = 0; i < items; i++)
            {
                if (away.Count == InFlight) PartitionedRunner.Erase(await away.Dequeue());
                away.Enqueue(_parts.RunBackAsync(_parts.RunFront([_input]), Patience, cancellation));
            }
            while (away.TryDequeue(out Task<OrtTensor[]>? last)) PartitionedRunner.Erase(await last);
            parts.Add(Since(start) / items);
        }
        return (Samples.Median(whole), Samples.Median(parts));
    }

    public async ValueTask DisposeAsync()
    {
        _parts.Dispose();
        await _pool.DisposeAsync();
        _back.Dispose();
        _whole.Dispose();
        _outside.Dispose();
        _input.Dispose();
    }

    private static void Run(OrtSession session, params ReadOnlySpan<OrtTensor> inputs)
    {
        var outputs = new OrtTensor?[session.Outputs.Count];
        session.Run(inputs, outputs);
        foreach (OrtTensor? output in outputs) output!.Dispose();
    }

    private static double Since(long start) => Stopwatch.GetElapsedTime(start).TotalMilliseconds;
}
