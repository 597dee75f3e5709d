namespace Cloister.Serving.Execution;

/// <summary>One request in a lane: waits, runs, ends once. Its task ends only when the work no longer touches its memory.</summary>
internal sealed class Ticket(InferenceExecutor executor, Lane lane, IInference work)
{
    private readonly TaskCompletionSource<RunTimes> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _queued = executor.Time.GetTimestamp();
    private CancellationTokenRegistration _registration;
    private ITimer? _timer;
    private int _reason; // a ServingError once the request was given up, else 0
    private bool _ended;

    public Task<RunTimes> Task => _completion.Task;

    /// <summary>Its place among those that wait; null once a thread has it. Guarded by the executor.</summary>
    internal LinkedListNode<Ticket>? Node { get; set; }

    public void Watch(TimeSpan timeout, CancellationToken cancellation)
    {
        ITimer? timer = timeout == Timeout.InfiniteTimeSpan
            ? null
            : executor.Time.CreateTimer(static state => ((Ticket)state!).GiveUp(ServingError.DeadlineExceeded), this, timeout, Timeout.InfiniteTimeSpan);
        CancellationTokenRegistration registration = cancellation.UnsafeRegister(static state => ((Ticket)state!).GiveUp(ServingError.Cancelled), this);
        lock (_completion)
        {
            _timer = timer;
            _registration = registration;
            if (!_ended) return;
        }
        // The work was quicker than this method.
        timer?.Dispose();
        registration.Unregister();
    }

    /// <summary>On one of the executor's threads.</summary>
    public void Run()
    {
        if (Volatile.Read(ref _reason) != 0)
        {
            End(default, GivenUp());
            return;
        }
        long start = executor.Time.GetTimestamp();
        Exception? failure = null;
        try
        {
            work.Execute();
        }
#pragma warning disable CA1031 // The thread must outlive any failure of a model; the failure goes to whoever waits.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = Volatile.Read(ref _reason) != 0 ? GivenUp() : exception;
        }
        long end = executor.Time.GetTimestamp();
        var times = new RunTimes(executor.Time.GetElapsedTime(_queued, start), executor.Time.GetElapsedTime(start, end));
        lane.Record(times.Computed);
        End(times, failure);
    }

    public void Refuse(ServingException reason) => End(default, reason);

    private void GiveUp(ServingError reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, 0) != 0) return;
        if (executor.TryWithdraw(lane, this)) End(default, GivenUp());
        else work.Interrupt();
    }

    private ServingException GivenUp() => (ServingError)_reason == ServingError.Cancelled
        ? new ServingException(ServingError.Cancelled, "The caller gave up.")
        : new ServingException(ServingError.DeadlineExceeded, "The prediction did not end before its deadline; ask for more time, or send less at once.");

    private void End(RunTimes times, Exception? failure)
    {
        lock (_completion)
        {
            _ended = true;
        }
        _timer?.Dispose();
        // Not Dispose: it would wait for a callback that may be this very call.
        _registration.Unregister();
        if (failure is null) _completion.TrySetResult(times);
        else _completion.TrySetException(failure);
    }
}
