using Cloister.Serving.Execution;

namespace Cloister.Serving.Tests.Execution;

public sealed class InferenceExecutorTests
{
    [Fact]
    public async Task Work_runs_on_the_executor_s_own_threads()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 2 }, TimeProvider.System);
        string? name = null;
        bool? pooled = null;
        await Run(executor.CreateLane(), () => (name, pooled) = (Thread.CurrentThread.Name, Thread.CurrentThread.IsThreadPoolThread));
        Assert.StartsWith("inference ", name, StringComparison.Ordinal);
        Assert.False(pooled);
    }

    [Fact]
    public async Task A_failure_goes_to_whoever_waits_and_the_thread_lives_on()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, TimeProvider.System);
        Lane lane = executor.CreateLane();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Run(lane, () => throw new InvalidOperationException()));
        await Run(lane, () => { });
    }

    [Fact]
    public async Task A_full_lane_refuses_at_once_and_says_when_to_come_back()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, TimeProvider.System);
        Lane lane = executor.CreateLane(2), other = executor.CreateLane(1);
        using var gate = new Gate();
        Task running = gate.RunIn(lane);
        await gate.Entered;
        Task[] waiting = [Run(lane, () => { }), Run(lane, () => { })];
        Assert.True(lane.IsFull);
        ServingException refusal = await Assert.ThrowsAsync<ServingException>(() => Run(lane, () => { }));
        Assert.Equal(ServingError.Overloaded, refusal.Error);
        Assert.InRange(refusal.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Task elsewhere = Run(other, () => { });
        gate.Open();
        await Task.WhenAll([running, elsewhere, .. waiting]);
        Assert.False(lane.IsFull);
    }

    [Fact]
    public async Task A_busy_lane_does_not_starve_another()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, TimeProvider.System);
        Lane busy = executor.CreateLane(), quiet = executor.CreateLane();
        using var gate = new Gate();
        Task running = gate.RunIn(busy);
        await gate.Entered;
        var order = new List<string>();
        List<Task> all = [running];
        for (int i = 0; i < 5; i++) all.Add(Run(busy, () => order.Add("busy")));
        all.Add(Run(quiet, () => order.Add("quiet")));
        gate.Open();
        await Task.WhenAll(all);
        Assert.InRange(order.IndexOf("quiet"), 0, 1);
    }

    [Fact]
    public async Task Lanes_share_the_threads_time_not_their_turns()
    {
        var time = new ManualTime();
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, time);
        Lane slow = executor.CreateLane(), quick = executor.CreateLane(), first = executor.CreateLane();
        using var gate = new Gate();
        Task running = gate.RunIn(first);
        await gate.Entered;
        var order = new List<string>();
        List<Task> all = [running];
        for (int i = 0; i < 4; i++)
        {
            all.Add(Run(slow, () => Take("slow", TimeSpan.FromMilliseconds(100))));
            for (int j = 0; j < 10; j++) all.Add(Run(quick, () => Take("quick", TimeSpan.FromMilliseconds(10))));
        }
        gate.Open();
        await Task.WhenAll(all);
        // By turns the second slow one would come third; by time it waits until the quick ones have had as much.
        Assert.InRange(order.Take(14).Count(name => name == "quick"), 10, 13);
        Assert.Equal((4, 40), (order.Count(name => name == "slow"), order.Count(name => name == "quick")));

        void Take(string name, TimeSpan duration)
        {
            order.Add(name);
            time.Advance(duration);
        }
    }

    [Fact]
    public async Task A_lane_runs_no_more_at_once_than_it_may_and_leaves_the_other_threads_free()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 3 }, TimeProvider.System);
        Lane narrow = executor.CreateLane(concurrency: 1), other = executor.CreateLane();
        using var gate = new Gate();
        Task running = gate.RunIn(narrow);
        await gate.Entered;
        int within = 0;
        Task[] waiting = [.. Enumerable.Range(0, 50).Select(_ => Run(narrow, () =>
        {
            Assert.Equal(1, Interlocked.Increment(ref within));
            Interlocked.Decrement(ref within);
        }))];
        for (int i = 0; i < 50; i++) await Run(other, () => { });
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
        gate.Open();
        await Task.WhenAll([running, .. waiting]);
    }

    [Fact]
    public async Task What_waits_can_be_given_up_and_makes_room()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, TimeProvider.System);
        Lane lane = executor.CreateLane(1);
        using var gate = new Gate();
        Task running = gate.RunIn(lane);
        await gate.Entered;
        for (int i = 0; i < 1000; i++)
        {
            using var cancellation = new CancellationTokenSource();
            bool ran = false;
            Task waiting = lane.RunAsync(new Work(() => ran = true), Timeout.InfiniteTimeSpan, cancellation.Token);
            await cancellation.CancelAsync();
            Assert.Equal(ServingError.Cancelled, (await Assert.ThrowsAsync<ServingException>(() => waiting)).Error);
            Assert.False(ran);
        }
        gate.Open();
        await running;
        await Run(lane, () => { });
    }

    [Fact]
    public async Task A_deadline_interrupts_what_runs_and_drops_what_waits()
    {
        var time = new ManualTime();
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, time);
        Lane lane = executor.CreateLane();
        using var gate = new Gate { OpensWhenInterrupted = true };
        Task running = lane.RunAsync(gate, TimeSpan.FromSeconds(5), default);
        await gate.Entered;
        Task waiting = lane.RunAsync(new Work(() => { }), TimeSpan.FromSeconds(3), default);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(ServingError.DeadlineExceeded, (await Assert.ThrowsAsync<ServingException>(() => waiting)).Error);
        Assert.False(running.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(ServingError.DeadlineExceeded, (await Assert.ThrowsAsync<ServingException>(() => running)).Error);
    }

    [Fact]
    public async Task Stopping_refuses_what_waits_and_finishes_what_runs()
    {
        var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, TimeProvider.System);
        Lane lane = executor.CreateLane();
        using var gate = new Gate();
        Task running = gate.RunIn(lane);
        await gate.Entered;
        Task waiting = Run(lane, () => { });
        ValueTask stopping = executor.DisposeAsync();
        Assert.Equal(ServingError.Stopping, (await Assert.ThrowsAsync<ServingException>(() => waiting)).Error);
        Assert.Equal(ServingError.Stopping, (await Assert.ThrowsAsync<ServingException>(() => Run(lane, () => { }))).Error);
        gate.Open();
        await running;
        await stopping;
    }

    [Fact]
    public async Task Requests_cancelled_at_any_moment_end_exactly_once()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 2, QueueLimit = 1_000_000 }, TimeProvider.System);
        Lane lane = executor.CreateLane();
        var random = new Random(1);
        int ran = 0, refused = 0;
        var all = new List<Task>();
        for (int i = 0; i < 20_000; i++)
        {
            var cancellation = new CancellationTokenSource();
            Task task = lane.RunAsync(new Work(() => Interlocked.Increment(ref ran)), i % 3 == 0 ? TimeSpan.FromMilliseconds(random.Next(3)) : Timeout.InfiniteTimeSpan, cancellation.Token);
            all.Add(CountAsync(task));
            if (random.Next(2) == 0) all.Add(cancellation.CancelAsync());
        }
        await Task.WhenAll(all);
        Assert.Equal(20_000, Math.Max(ran, 20_000 - refused) + Math.Min(refused, 20_000 - ran));

        async Task CountAsync(Task task)
        {
            try
            {
                await task;
            }
            catch (ServingException)
            {
                Interlocked.Increment(ref refused);
            }
        }
    }

    [Fact]
    public async Task Short_work_runs_on_the_caller_s_thread_once_it_is_known_to_be_short_and_nothing_waits()
    {
        var time = new ManualTime();
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, time);
        Lane lane = executor.CreateLane(), other = executor.CreateLane();
        int thread = 0;
        var work = new Work(() => thread = Environment.CurrentManagedThreadId);
        Assert.False(lane.TryRunHere(work, default, out _)); // nothing is known of it yet
        for (int i = 0; i < 32; i++) await Run(lane, () => time.Advance(TimeSpan.FromMicroseconds(20)));
        await Settle(lane);
        Assert.True(lane.TryRunHere(work, default, out RunTimes times));
        Assert.Equal((Environment.CurrentManagedThreadId, TimeSpan.Zero), (thread, times.Queued));
        using (var gate = new Gate())
        {
            Task running = gate.RunIn(other);
            await gate.Entered;
            Assert.False(lane.TryRunHere(work, default, out _)); // as many run as there are threads
            gate.Open();
            await running;
            await Settle(other);
        }
        await Run(lane, () => time.Advance(TimeSpan.FromMilliseconds(10)));
        Assert.False(lane.TryRunHere(work, default, out _)); // it has become slow
        for (int i = 0; i < 64; i++) await Run(lane, () => { });
        await Settle(lane);
        Assert.True(lane.TryRunHere(work, default, out _));
    }

    [Fact]
    public async Task Work_on_the_caller_s_thread_counts_like_any_other()
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 2 }, new ManualTime());
        Lane lane = executor.CreateLane(concurrency: 1);
        for (int i = 0; i < 32; i++) await Run(lane, () => { });
        await Settle(lane);
        Task? queued = null;
        Assert.True(lane.TryRunHere(new Work(() =>
        {
            queued = Run(lane, () => { });
            Assert.False(lane.TryRunHere(new Work(() => { }), default, out _));
            Assert.Equal(1, lane.Load.Running);
        }), default, out _));
        await queued!;
        await Settle(lane);
        Assert.Throws<InvalidOperationException>(() => lane.TryRunHere(new Work(() => throw new InvalidOperationException()), default, out _));
        Assert.Equal(0, lane.Load.Running);
        using var left = new CancellationTokenSource();
        await left.CancelAsync();
        Assert.Equal(ServingError.Cancelled, Assert.Throws<ServingException>(() => lane.TryRunHere(new Work(() => Assert.Fail()), left.Token, out _)).Error);
        await Run(lane, () => { });
    }

    /// <summary>A task may end a moment before its thread is free again.</summary>
    private static async Task Settle(Lane lane)
    {
        while (lane.Load.Running > 0) await Task.Yield();
    }

    private static Task<RunTimes> Run(Lane lane, Action action) => lane.RunAsync(new Work(action), Timeout.InfiniteTimeSpan, default);

    private sealed class Work(Action action) : IInference
    {
        public void Execute() => action();

        public void Interrupt()
        {
        }
    }

    private sealed class Gate : IInference, IDisposable
    {
        private readonly ManualResetEventSlim _open = new();
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool OpensWhenInterrupted { get; init; }

        public Task Entered => _entered.Task;

        public Task<RunTimes> RunIn(Lane lane) => lane.RunAsync(this, Timeout.InfiniteTimeSpan, default);

        public void Open() => _open.Set();

        public void Execute()
        {
            _entered.SetResult();
            _open.Wait();
            if (OpensWhenInterrupted) throw new InvalidOperationException("stopped");
        }

        public void Interrupt()
        {
            if (OpensWhenInterrupted) Open();
        }

        public void Dispose() => _open.Dispose();
    }
}
