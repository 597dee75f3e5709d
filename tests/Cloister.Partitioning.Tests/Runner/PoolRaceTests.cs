using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Pooling;
using Cloister.Serving.Tests.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Things that happen at once: giving up, ending, failing and lying while something else goes on. Each is held where it is by an event.</summary>
public sealed class PoolRaceTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;
    private static readonly AcceleratorPoolOptions Quick = new() { StallTimeout = Patience, FirstBackoff = TimeSpan.FromMilliseconds(1), MaximumBackoff = TimeSpan.FromMilliseconds(5) };
    private static readonly AcceleratorAddress Nowhere = AcceleratorAddress.Parse("unix:/nowhere/at.all");

    [Fact]
    public async Task A_lie_is_a_lie_though_something_else_was_found_first()
    {
        await using var liar = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            ScriptedAccelerator.Run first = await peer.RunAsync(), second = await peer.RunAsync();
            await peer.AnswerAsync(first, values: [2, 2, 2, 3]);
            await peer.AnswerAsync(second, values: [float.NaN, 2, 2, 2]);
            await peer.ClosedAsync();
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var watch = new FaultWatch();
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [liar.Address], Quick with { SpotChecks = 1, MaximumBatch = 1, MaximumInside = 2 }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 1, 1, 1);
        using var gate = new GatedInputs(input);
        Task<OrtTensor[]> lied = pool.RunAsync(gate, Patience, CancellationToken.None), notNumber = pool.RunAsync([input], Patience, CancellationToken.None);
        await gate.ReachedAsync;
        await GivesAsync([2f, 2, 2, 2], notNumber); // the NaN is judged, and ends the connection
        using var patience = new CancellationTokenSource(Patience);
        while (pool.Accelerators[0].Phase == AcceleratorPhase.Ready) await Task.Delay(1, patience.Token);
        gate.Open();
        await GivesAsync([2f, 2, 2, 2], lied);
        await watch.FirstAsync(FaultWatch.Lied);
        Assert.Equal((AcceleratorPhase.Banned, 1), (pool.Accelerators[0].Phase, liar.Connections));
    }

    [Fact]
    public void One_accelerator_under_two_names_is_refused()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        foreach (string[] names in new[] { ["unix:/a", "shm:/a"], ["tcp:host:1", "tcp:host:1"], new[] { "unix:/b", "unix:/a", "unix:/a" } })
            Assert.Equal(PartitioningError.AcceleratorNamedTwice, Assert.Throws<PartitioningException>(() => { AcceleratorPool.Start(back, [.. names.Select(AcceleratorAddress.Parse)], Quick, NullLogger.Instance); }).Error);
    }

    [Fact]
    public async Task What_was_not_answered_goes_elsewhere_while_the_inside_still_judges_what_was()
    {
        var go = new TaskCompletionSource();
        await using var first = new ScriptedAccelerator(async (peer, number) =>
        {
            if (number > 0) return;
            await peer.GreetAsync();
            await peer.AnswerAsync(await peer.RunAsync());
            await peer.RunAsync();
            go.SetResult(); // and hangs up
        });
        await using var second = new ScriptedAccelerator(async (peer, _) =>
        {
            await go.Task.WaitAsync(Patience);
            await peer.GreetAsync();
            while (true) await peer.AnswerAsync(await peer.RunAsync());
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [first.Address, second.Address], Quick with { SpotChecks = 1, MaximumInside = 2 }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        using var gate = new GatedInputs(input);
        Task<OrtTensor[]> judged = pool.RunAsync(gate, Patience, CancellationToken.None);
        await gate.ReachedAsync;
        await GivesAsync([2f, 4, 6, 8], pool.RunAsync([input], Patience, CancellationToken.None));
        Assert.False(judged.IsCompleted);
        gate.Open();
        await GivesAsync([2f, 4, 6, 8], judged);
    }

    [Fact]
    public async Task A_pool_that_ends_waits_for_what_runs_inside_and_not_for_what_waits()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        AcceleratorPool pool = AcceleratorPool.Start(back, [], new AcceleratorPoolOptions { Fallback = AcceleratorFallback.Inside, MaximumInside = 1 }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        using var gate = new GatedInputs(input);
        Task<OrtTensor[]> runs = pool.RunAsync(gate, Patience, CancellationToken.None);
        await gate.ReachedAsync;
        Task<OrtTensor[]> waits = pool.RunAsync([input], Patience, CancellationToken.None);
        ValueTask ending = pool.DisposeAsync();
        gate.Open();
        await ending.AsTask().WaitAsync(Patience);
        await GivesAsync([2f, 4, 6, 8], runs);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waits);
    }

    [Fact]
    public async Task A_time_that_no_clock_measures_is_refused_before_anything_is_asked()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Quick, NullLogger.Instance);
        await pool.ReadyAsync(CancellationToken.None).WaitAsync(Patience);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.RunAsync([input], TimeSpan.MaxValue, CancellationToken.None));
        Assert.Equal((0L, 0), (pool.Statistics.Batches, pool.Statistics.Queued));
    }

    [Fact]
    public async Task Who_gave_up_before_he_had_a_place_takes_none()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [Nowhere], Quick with { MaximumQueued = 2 }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        for (int i = 0; i < 20; i++)
            Assert.Equal(PartitioningError.AcceleratorTimeout, (await Assert.ThrowsAsync<PartitioningException>(() => pool.RunAsync([input], TimeSpan.Zero, CancellationToken.None).WaitAsync(Patience))).Error);
        Assert.Equal(0, pool.Statistics.Queued);
    }

    [Fact]
    public async Task Who_answers_once_and_fails_again_is_asked_less_and_less_often()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            await peer.AnswerAsync(await peer.RunAsync()); // and hangs up
        });
        var time = new ManualTime();
        var watch = new FaultWatch();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address],
            new AcceleratorPoolOptions { StallTimeout = TimeSpan.FromDays(9), FirstBackoff = TimeSpan.FromSeconds(1), MaximumBackoff = TimeSpan.FromHours(1), TimeProvider = time }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 1, 1, 1);
        for (int fault = 1; fault <= 6; fault++)
        {
            await GivesAsync([2f, 2, 2, 2], pool.RunAsync([input], Timeout.InfiniteTimeSpan, CancellationToken.None));
            using var patience = new CancellationTokenSource(Patience);
            while (Failures(watch).Length < fault) await Task.Delay(1, patience.Token);
            while (pool.Accelerators[0].Phase == AcceleratorPhase.Waiting)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(1, patience.Token);
            }
        }
        // Each wait is between half and the whole of twice the one before.
        Assert.All(Failures(watch).Take(6).Select((wait, i) => (wait, i)), fault => Assert.InRange(fault.wait, 500 << fault.i, 1000 << fault.i));
    }

    [Fact]
    public async Task Who_takes_requests_and_keeps_them_is_asked_less_and_less_often()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            await peer.RunAsync();
            await peer.ClosedAsync();
        });
        var time = new ManualTime();
        var watch = new FaultWatch();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], new AcceleratorPoolOptions
        {
            StallTimeout = TimeSpan.FromHours(1), LoadTimeout = TimeSpan.FromHours(1), FirstBackoff = TimeSpan.FromSeconds(1), MaximumBackoff = TimeSpan.FromHours(1), MaximumRetries = int.MaxValue, TimeProvider = time,
        }, watch);
        using OrtTensor input = TinyModels.Tensor(1, 1, 1, 1);
        using var giveUp = new CancellationTokenSource();
        Task<OrtTensor[]> asked = pool.RunAsync([input], Timeout.InfiniteTimeSpan, giveUp.Token);
        using var patience = new CancellationTokenSource(Patience);
        while (Failures(watch).Length < 4)
        {
            time.Advance(TimeSpan.FromMinutes(20));
            await Task.Delay(1, patience.Token);
        }
        Assert.All(Failures(watch).Take(4).Select((wait, i) => (wait, i)), fault => Assert.InRange(fault.wait, 500 << fault.i, 1000 << fault.i));
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    [Fact]
    public async Task Batches_in_shared_memory_are_as_large_as_the_accelerator_takes()
    {
        await using RunningHost host = await RunningHost.StartAsync("shm", new AcceleratorOptions { Threads = 1, MaximumRunBytes = 1 << 16 });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Quick with { MaximumBatch = 1 << 28 }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        await GivesAsync([2f, 4, 6, 8], pool.RunAsync([input], Patience, CancellationToken.None));
        Assert.Empty(pool.Statistics.Faults);
    }

    [Fact]
    public void An_answer_that_comes_too_late_is_zeroed()
    {
        float[] memory = [1, 2, 3, 4];
        using OrtTensor input = TinyModels.Tensor(0, 0, 0, 0);
        var request = new PoolRequest([input], 1, 0);
        request.Fail(new TimeoutException());
        Assert.False(request.TryComplete([OrtTensor.OverPinned(memory.AsMemory(), [1, 4])]));
        Assert.Equal(new float[4], memory);
        Assert.True(request.Done.IsFaulted);
        Assert.IsType<TimeoutException>(request.Done.Exception!.InnerException);
    }

    // How many milliseconds the pool waits after each fault.
    private static int[] Failures(FaultWatch watch) => [.. watch.Lines.Select(line => line.Split("trying again in ")).Where(parts => parts.Length == 2)
        .Select(parts => int.Parse(parts[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture))];

    private static async Task GivesAsync(float[] wanted, Task<OrtTensor[]> asked)
    {
        OrtTensor[] outputs = await asked.WaitAsync(Patience);
        Assert.Equal(wanted, outputs[0].Span<float>().ToArray());
        foreach (OrtTensor output in outputs) output.Dispose();
    }
}
