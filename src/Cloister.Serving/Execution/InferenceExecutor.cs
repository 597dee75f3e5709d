namespace Cloister.Serving.Execution;

/// <summary>
/// Runs predictions on threads of its own, so that a long one never holds up a thread that serves connections. Each model has
/// a <see cref="Lane"/>, a bounded queue; the threads take from the lanes in turn, so that one busy model does not starve another.
/// </summary>
internal sealed class InferenceExecutor : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly Queue<Lane> _ready = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _alive;
    private bool _stopping;

    public InferenceExecutor(ExecutorOptions options, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.QueueLimit, 1);
        Options = options;
        Time = time;
        _alive = options.Threads;
        for (int i = 0; i < options.Threads; i++)
            new Thread(Work) { IsBackground = true, Name = $"inference {i}" }.Start();
    }

    public ExecutorOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>A queue for one model; <paramref name="limit"/> requests may wait in it.</summary>
    public Lane CreateLane(int? limit = null) => new(this, limit ?? Options.QueueLimit);

    /// <summary>Refuses what waits, lets what runs finish, and ends when the threads have.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _stopping = true;
            while (_ready.TryDequeue(out Lane? lane)) lane.RefuseAll();
            Monitor.PulseAll(_gate);
        }
        await _ended.Task;
    }

    internal void Enqueue(Lane lane, Ticket ticket)
    {
        lock (_gate)
        {
            if (_stopping) throw new ServingException(ServingError.Stopping, "The server is stopping; ask another one.");
            if (lane.Waiting.Count >= lane.Limit) throw lane.Overloaded();
            ticket.Node = lane.Waiting.AddLast(ticket);
            Join(lane);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Takes a request that waits out of its lane; false if a thread has it already.</summary>
    internal bool TryWithdraw(Lane lane, Ticket ticket)
    {
        lock (_gate)
        {
            if (ticket.Node is not { } node) return false;
            lane.Waiting.Remove(node);
            ticket.Node = null;
            return true;
        }
    }

    internal int WaitingIn(Lane lane)
    {
        lock (_gate) return lane.Waiting.Count;
    }

    private void Work()
    {
        while (Next() is { } ticket) ticket.Run();
        if (Interlocked.Decrement(ref _alive) == 0) _ended.SetResult();
    }

    private Ticket? Next()
    {
        lock (_gate)
        {
            while (true)
            {
                while (_ready.TryDequeue(out Lane? lane))
                {
                    lane.InRound = false;
                    // Its requests may all have been withdrawn meanwhile.
                    if (lane.Waiting.First is not { } node) continue;
                    lane.Waiting.RemoveFirst();
                    node.Value.Node = null;
                    if (lane.Waiting.Count > 0) Join(lane);
                    return node.Value;
                }
                if (_stopping) return null;
                Monitor.Wait(_gate);
            }
        }
    }

    private void Join(Lane lane)
    {
        if (lane.InRound) return;
        lane.InRound = true;
        _ready.Enqueue(lane);
    }
}
