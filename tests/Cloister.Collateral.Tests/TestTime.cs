namespace Cloister.Collateral.Tests;

/// <summary>
/// Time that a test moves, or that jumps to whatever is waited for. Timers of exactly <see cref="RequestTimeout"/> are requests'
/// limits and expire only when a test says so.
/// </summary>
internal sealed class TestTime(DateTimeOffset now, bool jumps = true) : TimeProvider
{
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(33);

    private readonly Lock _lock = new();
    private readonly List<TestTimer> _timers = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _now = now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new TestTimer(this, dueTime == RequestTimeout, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan time)
    {
        lock (_lock) _now += time;
        Fire(timer => !timer.IsLimit && timer.Due <= GetUtcNow());
    }

    /// <summary>Ends the patience of every request under way.</summary>
    public void ExpireRequests() => Fire(timer => timer.IsLimit);

    /// <summary>Waits until so many waits, limits aside, are under way. What never happens fails instead of hanging.</summary>
    public async Task WaitersAsync(int count)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_timers.Count(timer => !timer.IsLimit) == count) return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(TimeSpan.FromMinutes(1));
        }
    }

    private void Fire(Func<TestTimer, bool> which)
    {
        TestTimer[] due;
        lock (_lock)
        {
            due = [.. _timers.Where(which)];
            foreach (TestTimer timer in due) _timers.Remove(timer);
            Changed();
        }
        foreach (TestTimer timer in due) timer.Fire();
    }

    private void Changed()
    {
        _changed.SetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class TestTimer(TestTime time, bool isLimit, Action fire) : ITimer
    {
        public bool IsLimit => isLimit;

        public DateTimeOffset Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time._now + dueTime;
                time._timers.Add(this);
                time.Changed();
            }
            if (time.Jumps && !isLimit) ThreadPool.QueueUserWorkItem(_ => time.Advance(dueTime));
            return true;
        }

        public void Dispose()
        {
            lock (time._lock) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }

    private bool Jumps => jumps;
}
