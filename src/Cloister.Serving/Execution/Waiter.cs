namespace Cloister.Serving.Execution;

/// <summary>A caller that waits for a result: it may give up or run out of time, before its turn or during it, and ends once.</summary>
internal abstract class Waiter<T>(TimeProvider time)
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private ITimer? _timer;
    private int _reason; // a ServingError once the request was given up, else 0
    private bool _ended;

    public Task<T> Task => _completion.Task;

    /// <summary>Whether the caller has gone or its time is over.</summary>
    public bool IsGivenUp => Volatile.Read(ref _reason) != 0;

    /// <summary>When it began to wait, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long Since { get; } = time.GetTimestamp();

    /// <summary>Gives up when the time is over or the caller cancels, whichever is first.</summary>
    public void Watch(TimeSpan timeout, CancellationToken cancellation)
    {
        ITimer? timer = timeout == Timeout.InfiniteTimeSpan
            ? null
            : time.CreateTimer(static state => ((Waiter<T>)state!).GiveUp(ServingError.DeadlineExceeded), this, timeout, Timeout.InfiniteTimeSpan);
        CancellationTokenRegistration registration = cancellation.UnsafeRegister(static state => ((Waiter<T>)state!).GiveUp(ServingError.Cancelled), this);
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

    public void End(T result)
    {
        StopWatching();
        _completion.TrySetResult(result);
    }

    public void Refuse(Exception reason)
    {
        StopWatching();
        _completion.TrySetException(reason);
    }

    /// <summary>Ends as what its caller or its deadline made it.</summary>
    public void EndGivenUp() => Refuse((ServingError)_reason == ServingError.Cancelled
        ? new ServingException(ServingError.Cancelled, "The caller gave up.")
        : new ServingException(ServingError.DeadlineExceeded, "The prediction did not end before its deadline; ask for more time, or send less at once."));

    /// <summary>Takes it out of its queue; false if its turn has come.</summary>
    protected abstract bool TryWithdraw();

    /// <summary>Called during its turn: whoever runs it ends it soon.</summary>
    protected abstract void Interrupt();

    private void GiveUp(ServingError reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, 0) != 0) return;
        if (TryWithdraw()) EndGivenUp();
        else Interrupt();
    }

    private void StopWatching()
    {
        lock (_completion)
        {
            _ended = true;
        }
        _timer?.Dispose();
        // Not Dispose: it would wait for a callback that may be this very call.
        _registration.Unregister();
    }
}
