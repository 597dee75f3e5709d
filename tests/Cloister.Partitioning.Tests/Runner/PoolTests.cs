using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Tests.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Queues, deadlines, retries, lies: what a pool does around single answers.</summary>
public sealed class PoolTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;
    private static readonly AcceleratorPoolOptions Quick = new() { StallTimeout = Patience, FirstBackoff = TimeSpan.FromMilliseconds(1), MaximumBackoff = TimeSpan.FromMilliseconds(5) };

    [Fact]
    public async Task An_answer_that_comes_twice_is_a_fault_and_the_first_counts()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            ScriptedAccelerator.Run run = await peer.RunAsync();
            await peer.AnswerAsync(run);
            await peer.AnswerAsync(run, values: [9, 9, 9, 9]);
            await peer.ClosedAsync();
        });
        var watch = new FaultWatch();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], Quick, watch);
        await GivesAsync([2f, 2, 2, 2], AskAsync(pool, 1, 1, 1, 1));
        Assert.Contains(nameof(AcceleratorFault.AnsweredTwice), await watch.FirstAsync(FaultWatch.Failed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stale_answer_under_a_new_id_is_told_by_the_digest_of_its_input()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, number) =>
        {
            await peer.GreetAsync();
            ScriptedAccelerator.Run first = await peer.RunAsync();
            await peer.AnswerAsync(first);
            while (true)
            {
                ScriptedAccelerator.Run next = await peer.RunAsync();
                if (number == 0) await peer.SendAsync(Partitioning.Runner.Wire.FrameKind.Answer, next.Id, peer.Answer(first));
                else await peer.AnswerAsync(next);
            }
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], Quick, NullLogger.Instance);
        await GivesAsync([2f, 2, 2, 2], AskAsync(pool, 1, 1, 1, 1));
        await GivesAsync([4f, 4, 4, 4], AskAsync(pool, 2, 2, 2, 2));
        Assert.Equal([new(AcceleratorFault.OtherInput, 1)], pool.Statistics.Faults);
    }

    [Fact]
    public async Task A_request_that_every_try_fails_is_refused_with_where_and_what()
    {
        await using var accelerator = new ScriptedAccelerator(AlwaysShortAsync);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], Quick with { MaximumRetries = 2 }, NullLogger.Instance);
        var refused = await Assert.ThrowsAsync<PartitioningException>(() => AskAsync(pool, 1, 1, 1, 1));
        Assert.Equal(PartitioningError.AcceleratorFaulty, refused.Error);
        Assert.Contains(accelerator.Address.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(AcceleratorFault.WrongTensors), refused.Message, StringComparison.Ordinal);
        Assert.Equal((2, 1), (pool.Statistics.Retries, pool.Statistics.Refused));
    }

    [Fact]
    public async Task A_request_that_every_try_fails_runs_inside_where_that_is_allowed()
    {
        await using var accelerator = new ScriptedAccelerator(AlwaysShortAsync);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], Quick with { Fallback = AcceleratorFallback.Inside }, NullLogger.Instance);
        for (int i = 0; i < 5; i++)
            await GivesAsync([2f, 2, 2, 2], AskAsync(pool, 1, 1, 1, 1));
        Assert.Equal(5, pool.Statistics.Inside);
    }

    [Fact]
    public async Task What_one_accelerator_fails_goes_to_another()
    {
        await using var bad = new ScriptedAccelerator(AlwaysShortAsync);
        await using RunningHost good = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [bad.Address, good.Address], Quick with { MaximumRetries = 1 }, NullLogger.Instance);
        while (pool.Accelerators.Any(one => one.Phase == AcceleratorPhase.Connecting)) await Task.Yield();
        for (int i = 0; i < 50; i++)
            await GivesAsync([2f * i, 2, 2, 2], AskAsync(pool, i, 1, 1, 1));
        Assert.Equal(0, pool.Statistics.Refused);
    }

    // What an accelerator says of its limits is its own word: it is no reason to refuse what another one takes.
    [Theory]
    [InlineData(15, 1)]
    [InlineData(16, 3)]
    public async Task What_one_accelerator_says_is_too_large_goes_to_another(int bytes, int rows)
    {
        await using RunningHost narrow = await RunningHost.StartAsync(options: new AcceleratorOptions { MaximumRunBytes = bytes }), wide = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [narrow.Address, wide.Address], Quick with { MaximumRetries = 1 }, NullLogger.Instance);
        while (pool.Accelerators.Any(one => one.Phase == AcceleratorPhase.Connecting)) await Task.Yield();
        for (int i = 0; i < 30; i++) Assert.Equal(rows * 4, (await AskAsync(pool, [.. Enumerable.Repeat((float)i, rows * 4)])).Length);
        Assert.Equal(0, pool.Statistics.Refused);
    }

    [Fact]
    public async Task What_no_accelerator_takes_is_refused_with_its_limit()
    {
        await using RunningHost narrow = await RunningHost.StartAsync(options: new AcceleratorOptions { MaximumRunBytes = 16 });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [narrow.Address], Quick, NullLogger.Instance);
        var refused = await Assert.ThrowsAsync<PartitioningException>(() => AskAsync(pool, 1, 1, 1, 1, 2, 2, 2, 2));
        Assert.Equal(PartitioningError.AcceleratorFaulty, refused.Error);
        Assert.Contains("takes 16 bytes in a run", refused.Message, StringComparison.Ordinal);
        await GivesAsync([2f, 2, 2, 2], AskAsync(pool, 1, 1, 1, 1));
    }

    [Fact]
    public async Task Requests_that_wait_are_joined_into_one_batch_and_a_large_one_goes_alone()
    {
        var sizes = new System.Collections.Concurrent.ConcurrentQueue<long>();
        var go = new TaskCompletionSource();
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await go.Task;
            await peer.GreetAsync();
            while (true)
            {
                ScriptedAccelerator.Run run = await peer.RunAsync();
                sizes.Enqueue(run.Shape[0]);
                await peer.AnswerAsync(run);
            }
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], Quick with { MaximumBatch = 4 }, NullLogger.Instance);
        Task<float[]>[] asked = [.. new[] { 1, 2, 3, 1, 9, 1 }.Select((rows, i) => AskAsync(pool, [.. Enumerable.Repeat((float)i, rows * 4)]))];
        go.SetResult();
        for (int i = 0; i < asked.Length; i++) Assert.All(await asked[i], value => Assert.Equal(2 * i, value));
        Assert.Equal([3L, 4, 9, 1], sizes.ToArray());
        Assert.Equal((4, 6), (pool.Statistics.Batches, pool.Statistics.Answered));
    }

    [Fact]
    public async Task A_liar_is_found_answered_for_and_never_asked_again()
    {
        await using var liar = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            while (true) await peer.AnswerAsync(await peer.RunAsync(), values: [2, 2, 2, 2.1f]);
        });
        var watch = new FaultWatch();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [liar.Address], Quick with { SpotChecks = 1 }, watch);
        await GivesAsync([2f, 2, 2, 2], AskAsync(pool, 1, 1, 1, 1));
        await watch.FirstAsync(FaultWatch.Lied);
        Assert.Equal(AcceleratorPhase.Banned, pool.Accelerators[0].Phase);
        var refused = await Assert.ThrowsAsync<PartitioningException>(() => AskAsync(pool, 1, 1, 1, 1));
        Assert.Equal(PartitioningError.AcceleratorUnavailable, refused.Error);
        Assert.Equal(PartitioningError.AcceleratorUnavailable, (await Assert.ThrowsAsync<PartitioningException>(() => pool.ReadyAsync(CancellationToken.None))).Error);
        Assert.Equal(1, liar.Connections);
    }

    [Fact]
    public async Task A_lie_within_the_tolerance_is_taken_for_rounding()
    {
        await using var accelerator = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            while (true) await peer.AnswerAsync(await peer.RunAsync(), values: [2, 2, 2, 2.001f]);
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [accelerator.Address], Quick with { SpotChecks = 1 }, NullLogger.Instance);
        await GivesAsync([2f, 2, 2, 2.001f], AskAsync(pool, 1, 1, 1, 1));
        Assert.Equal(1, pool.Statistics.SpotChecks);
    }

    [Fact]
    public async Task Spot_checks_take_their_share_of_answers()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Quick with { SpotChecks = 0.5, MaximumQueued = 1000 }, NullLogger.Instance);
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), async (i, _) => await AskAsync(pool, i, 1, 1, 1));
        Assert.InRange(pool.Statistics.SpotChecks, 120, 280); // 8 standard deviations
        Assert.Empty(pool.Statistics.Faults);
    }

    [Fact]
    public async Task An_input_that_the_model_itself_makes_NaN_of_is_no_fault_of_the_accelerator()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Root());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Quick, NullLogger.Instance);
        var refused = await Assert.ThrowsAsync<PartitioningException>(() => AskAsync(pool, -1, 1, 1, 1));
        Assert.Equal(PartitioningError.AnswerNotFinite, refused.Error);
        await GivesAsync([2f, 1, 1, 0], AskAsync(pool, 4, 1, 1, 0));
        Assert.Empty(pool.Statistics.Faults);
    }

    [Fact]
    public async Task An_input_that_the_model_does_not_run_with_is_no_fault_of_the_accelerator()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using BackNet back = TinyModels.Open(TinyModels.Lookup());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Quick, NullLogger.Instance);
        using OrtTensor outside = OrtTensor.OverPinned(new long[] { 0, 77 }.AsMemory(), [1, 2]), there = OrtTensor.OverPinned(new long[] { 0, 4 }.AsMemory(), [1, 2]);
        await Assert.ThrowsAsync<OnnxRuntimeException>(() => pool.RunAsync([outside], Patience, CancellationToken.None));
        OrtTensor[] outputs = await pool.RunAsync([there], Patience, CancellationToken.None);
        Assert.Equal([1f, 5], outputs[0].Span<float>().ToArray());
        Assert.Empty(pool.Statistics.Faults);
    }

    [Fact]
    public async Task A_full_queue_refuses_and_a_deadline_ends_the_waiting()
    {
        await using var silent = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            while (true) await peer.RunAsync();
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var time = new ManualTime();
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [silent.Address], new AcceleratorPoolOptions { MaximumQueued = 2, Depth = 1, MaximumBatch = 1, StallTimeout = TimeSpan.FromHours(9), TimeProvider = time }, NullLogger.Instance);
        await pool.ReadyAsync(CancellationToken.None).WaitAsync(Patience);
        Task<float[]> away = AskAsync(pool, TimeSpan.FromHours(1));
        while (pool.Accelerators[0].InFlight == 0) await Task.Yield();
        Task<float[]>[] waiting = [AskAsync(pool, TimeSpan.FromHours(1)), AskAsync(pool, TimeSpan.FromHours(1))];
        Assert.Equal(PartitioningError.AcceleratorOverloaded, (await Assert.ThrowsAsync<PartitioningException>(() => AskAsync(pool, TimeSpan.FromHours(1)))).Error);
        Assert.Equal(2, pool.Statistics.Queued);
        time.Advance(TimeSpan.FromHours(2));
        foreach (Task<float[]> one in (Task<float[]>[])[away, .. waiting])
            Assert.Equal(PartitioningError.AcceleratorTimeout, (await Assert.ThrowsAsync<PartitioningException>(() => one.WaitAsync(Patience))).Error);
        Assert.Equal((0, 4), (pool.Statistics.Queued, pool.Statistics.Refused));
    }

    [Fact]
    public async Task A_caller_can_give_up_and_a_pool_can_end()
    {
        await using var silent = new ScriptedAccelerator(async (peer, _) =>
        {
            await peer.GreetAsync();
            while (true) await peer.RunAsync();
        });
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        AcceleratorPool pool = AcceleratorPool.Start(back, [silent.Address], Quick with { Depth = 1, MaximumBatch = 1 }, NullLogger.Instance);
        using var giveUp = new CancellationTokenSource();
        using OrtTensor input = TinyModels.Tensor(1, 1, 1, 1);
        Task<OrtTensor[]> first = pool.RunAsync([input], Patience, giveUp.Token), second = pool.RunAsync([input], Patience, giveUp.Token);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Patience));
        Task<float[]> third = AskAsync(pool, 1, 1, 1, 1);
        await pool.DisposeAsync().AsTask().WaitAsync(Patience);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => third.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => AskAsync(pool, 1, 1, 1, 1));
        Assert.Equal(AcceleratorPhase.Closed, pool.Accelerators[0].Phase);
    }

    [Fact]
    public async Task Nothing_listens_and_the_caller_is_told_so()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var watch = new FaultWatch();
        var time = new ManualTime();
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [AcceleratorAddress.Parse("unix:/nowhere/at.all")], Quick with { TimeProvider = time }, watch);
        Task<float[]> asked = AskAsync(pool, TimeSpan.FromMinutes(1));
        await watch.FirstAsync(FaultWatch.Failed);
        time.Advance(TimeSpan.FromMinutes(2));
        var refused = await Assert.ThrowsAsync<PartitioningException>(() => asked.WaitAsync(Patience));
        Assert.Equal(PartitioningError.AcceleratorTimeout, refused.Error);
        Assert.Contains("unix:/nowhere/at.all", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inputs_that_do_not_fit_are_the_callers_mistake()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [], new AcceleratorPoolOptions { Fallback = AcceleratorFallback.Inside }, NullLogger.Instance);
        using OrtTensor wide = OrtTensor.Allocate<float>([1, 5]), ints = OrtTensor.Allocate<int>([1, 4]), none = OrtTensor.Allocate<float>([0, 4]);
        foreach (OrtTensor[] inputs in new[] { [wide], [ints], [none], [wide, wide], Array.Empty<OrtTensor>() })
            await Assert.ThrowsAnyAsync<ArgumentException>(() => pool.RunAsync(inputs, Patience, CancellationToken.None));
        Assert.Throws<ArgumentException>(() => { AcceleratorPool.Start(back, [], new AcceleratorPoolOptions(), NullLogger.Instance); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { AcceleratorPool.Start(back, [], new AcceleratorPoolOptions { SpotChecks = double.NaN }, NullLogger.Instance); });
    }

    private static async Task AlwaysShortAsync(ScriptedAccelerator.Peer peer, int number)
    {
        await peer.GreetAsync();
        ScriptedAccelerator.Run run = await peer.RunAsync();
        await peer.AnswerAsync(run, values: run.Values[..^1]);
        await peer.ClosedAsync();
    }

    private static async Task GivesAsync(float[] wanted, Task<float[]> asked) => Assert.Equal(wanted, await asked);

    private static Task<float[]> AskAsync(AcceleratorPool pool, TimeSpan timeout) => AskAsync(pool, timeout, 1, 1, 1, 1);

    private static Task<float[]> AskAsync(AcceleratorPool pool, params float[] values) => AskAsync(pool, Patience, values);

    private static async Task<float[]> AskAsync(AcceleratorPool pool, TimeSpan timeout, params float[] values)
    {
        using OrtTensor input = TinyModels.Tensor(values);
        OrtTensor[] outputs = await pool.RunAsync([input], timeout, CancellationToken.None);
        float[] answer = outputs[0].Span<float>().ToArray();
        foreach (OrtTensor output in outputs) output.Dispose();
        return answer;
    }
}
