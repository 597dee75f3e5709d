using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

public sealed class PoolEndToEndTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;
    private static readonly AcceleratorPoolOptions Patient = new() { StallTimeout = Patience };

    [SharedDataTheory]
    [InlineData("unix")]
    [InlineData("tcp")]
    [InlineData("tls")]
    [InlineData("shm")]
    public async Task A_model_in_three_parts_gives_what_the_whole_gives(string transport)
    {
        var model = OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));
        ModelGraph graph = ModelGraph.Read(model);
        Cut[] cuts = [.. CutFinder.Find(graph)];
        PartitionedModel parts = GraphCutter.Split(graph, cuts[cuts.Length / 3].Tensors, cuts[^3].Tensors);
        using var whole = OrtSession.FromMemory(model.ToBytes(), TinyModels.Exact);
        using BackNet back = BackNet.Open(parts.Back.ToBytes(), null, TinyModels.Exact);
        Assert.True(back.CanJoin);
        await using RunningHost host = await RunningHost.StartAsync(transport);
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Patient, NullLogger.Instance);
        using var runner = new PartitionedRunner(OrtSession.FromMemory(parts.Front.ToBytes(), TinyModels.Exact), pool, OrtSession.FromMemory(parts.Tail!.ToBytes(), TinyModels.Exact));

        foreach (int rows in new[] { 1, 3, 20 })
        {
            var random = new Random(rows);
            float[] picture = [.. Enumerable.Range(0, rows * 3 * 32 * 32).Select(_ => (float)random.NextDouble())];
            using OrtTensor input = OrtTensor.OverPinned(picture.AsMemory(), [rows, 3, 32, 32]);
            var wanted = new OrtTensor?[1];
            whole.Run([input], wanted);
            OrtTensor[] outputs = await runner.RunAsync([input], Patience, CancellationToken.None);
            Assert.Equal(wanted[0]!.Shape.ToArray(), outputs[0].Shape.ToArray());
            Assert.Equal(wanted[0]!.Span<float>().ToArray(), outputs[0].Span<float>().ToArray());
            wanted[0]!.Dispose();
            outputs[0].Dispose();
        }
        Assert.Equal(3, pool.Statistics.Answered);
        Assert.Empty(pool.Statistics.Faults);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("tcp")]
    [InlineData("tls")]
    [InlineData("shm")]
    public async Task Many_callers_each_get_their_own_answer(string transport)
    {
        await using RunningHost host = await RunningHost.StartAsync(transport);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Patient with { MaximumBatch = 16, MaximumQueued = 4096 }, NullLogger.Instance);
        await Parallel.ForEachAsync(Enumerable.Range(0, 2000), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (number, cancellation) =>
        {
            int rows = 1 + (number % 3);
            float[] values = [.. Enumerable.Range(0, rows * 4).Select(i => number + (i / 100f))];
            using OrtTensor input = TinyModels.Tensor(values);
            OrtTensor[] outputs = await pool.RunAsync([input], Patience, cancellation);
            Assert.Equal(values.Select(value => value + value), outputs[0].Span<float>().ToArray());
            outputs[0].Dispose();
        });
        Assert.Equal(2000, pool.Statistics.Answered);
        Assert.Empty(pool.Statistics.Faults);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("shm")]
    public async Task Several_tensors_of_several_types_are_joined_and_split(string transport)
    {
        await using RunningHost host = await RunningHost.StartAsync(transport);
        using BackNet back = TinyModels.Open(TinyModels.TwoByTwo());
        Assert.True(back.CanJoin);
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Patient, NullLogger.Instance);
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, cancellation) =>
        {
            float[] a = [number, 1, 0];
            bool[] b = [.. Enumerable.Range(0, 5).Select(bit => (number >> bit & 1) == 1)];
            using OrtTensor first = OrtTensor.OverPinned(a.AsMemory(), [1, 3]), second = OrtTensor.OverPinned(b.AsMemory(), [1, 5]);
            OrtTensor[] outputs = await pool.RunAsync([first, second], Patience, cancellation);
            Assert.Equal(b.Select(bit => !bit), outputs[0].Span<bool>().ToArray());
            Assert.Equal([number + 3, (2 * number) + 4], outputs[1].Span<float>().ToArray());
            foreach (OrtTensor output in outputs) output.Dispose();
        });
    }

    [Fact]
    public async Task A_model_is_sent_once_and_found_again()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        for (int time = 0; time < 2; time++)
        {
            await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Patient, NullLogger.Instance);
            await pool.ReadyAsync(CancellationToken.None).WaitAsync(Patience);
            Assert.Equal(time == 0 ? back.Model.Length : 0, pool.Accelerators[0].ModelBytesSent);
        }
    }

    [Fact]
    public async Task Two_workloads_with_two_models_are_served_beside_each_other()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using BackNet twice = TinyModels.Open(TinyModels.Twice()), root = TinyModels.Open(TinyModels.Root());
        await using AcceleratorPool first = AcceleratorPool.Start(twice, [host.Address], Patient, NullLogger.Instance);
        await using AcceleratorPool second = AcceleratorPool.Start(root, [host.Address], Patient, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 1, 1, 1);
        for (int i = 0; i < 20; i++)
        {
            Task<OrtTensor[]> two = first.RunAsync([input], Patience, CancellationToken.None), none = second.RunAsync([input], Patience, CancellationToken.None);
            OrtTensor[] doubled = await two, roots = await none;
            Assert.Equal([2f, 2, 2, 2], doubled[0].Span<float>().ToArray());
            Assert.Equal([1f, 1, 1, 1], roots[0].Span<float>().ToArray());
        }
    }

    [Fact]
    public async Task Without_an_accelerator_the_model_runs_inside_where_that_is_allowed()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [], new AcceleratorPoolOptions { Fallback = AcceleratorFallback.Inside }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        OrtTensor[] outputs = await pool.RunAsync([input], Patience, CancellationToken.None);
        Assert.Equal([2f, 4, 6, 8], outputs[0].Span<float>().ToArray());
        Assert.Equal((1, 0), (pool.Statistics.Inside, pool.Statistics.Answered));
        outputs[0].Dispose();
    }
}
