namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>A number of bytes that all connections share: who wants more than is left waits until others give back.</summary>
internal sealed class ByteBudget(long bytes)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _freed = Pulse();
    private long _used;

    /// <summary>Takes bytes; one taker alone may have more than there are, so that nobody waits for ever.</summary>
    public async ValueTask TakeAsync(long wanted, CancellationToken cancellation)
    {
        while (true)
        {
            Task freed;
            lock (_lock)
            {
                if (_used == 0 || wanted <= bytes - _used)
                {
                    _used += wanted;
                    return;
                }
                freed = _freed.Task;
            }
            await freed.WaitAsync(cancellation);
        }
    }

    /// <summary>Gives bytes back.</summary>
    public void Return(long taken)
    {
        TaskCompletionSource freed;
        lock (_lock)
        {
            _used -= taken;
            (freed, _freed) = (_freed, Pulse());
        }
        freed.TrySetResult();
    }

    private static TaskCompletionSource Pulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
