using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Runner;

namespace Cloister.Bench;

/// <summary>
/// Classifiers cut at several places, beside the same model whole inside: latency, throughput, bytes that cross, what stays inside; and how it moves
/// with an accelerator 10 and 100 times as quick as the inside: reckoned from the parts' times, and measured with everything inside run that often.
/// </summary>
internal sealed class PartitionedInference : IComparison
{
    private static readonly double[] Shares = [0.05, 0.25, 0.5, 0.85];

    public string Name => "partitioned";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach ((string name, string file, int side) in ((string, string, int)[])[("ResNet-20", "cifar10-resnet20", 32), ("SqueezeNet 1.1", "squeezenet1.1-224", 224), ("MobileNetV2", "mobilenetv2-1.0-224", 224)])
        {
            if (BenchContext.SharedModel($"vision/{file}.onnx") is not { } path) continue;
            ModelProto model = OnnxModel.Parse(await File.ReadAllBytesAsync(path, cancellation));
            ModelGraph graph = ModelGraph.Read(model);
            ImmutableArray<Cut> cuts = CutFinder.Find(graph);
            foreach (Cut cut in Shares.Select(share => cuts.MinBy(cut => Math.Abs(cut.MacShareBefore - share))!).Distinct())
                await foreach (Figure figure in MeasureAsync(name, model, graph, cut, side, cancellation)) yield return figure;
        }
    }

    private static async IAsyncEnumerable<Figure> MeasureAsync(string name, ModelProto model, ModelGraph graph, Cut cut, int side, [EnumeratorCancellation] CancellationToken cancellation)
    {
        const string Peer = "whole inside";
        bool small = side == 32;
        AcceleratorAddress address = AcceleratorAddress.Parse($"shm:{Path.Combine(Path.GetTempPath(), $"cloister-bench-{Environment.ProcessId}.sock")}");
        using AcceleratorChild accelerator = await AcceleratorChild.StartAsync(address, cancellation);
        await using InTwoParts parts = await InTwoParts.OpenAsync(model, graph, cut.Tensors, address, [1, 3, side, side], cancellation);

        string what = $"{name}, {cut.MacShareBefore * 100:0} % inside";
        (double whole, double cutTime, double inside, double back) = await parts.LatencyAsync(small ? 200 : 40, 1, cancellation);
        double link = Math.Max(0, cutTime - inside - back);
        yield return new Figure($"{what}: latency", cutTime, whole, "ms", Peer, double.PositiveInfinity, $"cut {string.Join(", ", cut.Tensors)}");
        (double wholeItem, double item) = await parts.ThroughputAsync(small ? 300 : 40, cancellation);
        yield return new Figure($"{what}: time an item, pipelined", item, wholeItem, "ms", Peer, double.PositiveInfinity);
        yield return new Figure($"{what}: computed inside", inside, whole, "ms", Peer, double.PositiveInfinity);
        yield return new Figure($"{what}: the link", link, whole, "ms", Peer, double.PositiveInfinity);
        yield return new Figure($"{what}: crosses", cut.BoundaryBytes / 1024.0, 3 * side * side / 1024.0, "KiB", "the picture", double.PositiveInfinity);
        foreach (int speed in (int[])[10, 100])
        {
            yield return new Figure($"{what}: accelerator x{speed}, reckoned", inside + link + back / speed, whole, "ms", Peer, double.PositiveInfinity);
            (double slowWhole, double slowParts, _, _) = await parts.LatencyAsync(small ? 20 : speed == 10 ? 5 : 2, speed, cancellation);
            yield return new Figure($"{what}: accelerator x{speed}, inside slowed", slowParts, slowWhole, "ms", Peer, double.PositiveInfinity);
        }
    }
}
