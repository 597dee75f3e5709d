namespace Cloister.Serving.Execution;

/// <summary>The queue of one model in an <see cref="InferenceExecutor"/>.</summary>
internal sealed class Lane
{
    private readonly InferenceExecutor _executor;
    private long _typicalTicks;

    internal Lane(InferenceExecutor executor, int limit)
    {
        _executor = executor;
        Limit = limit;
    }

    /// <summary>How many requests may wait.</summary>
    public int Limit { get; }

    /// <summary>Guarded by the executor.</summary>
    internal LinkedList<Ticket> Waiting { get; } = [];

    /// <summary>Whether the threads will come by. Guarded by the executor.</summary>
    internal bool InRound { get; set; }

    /// <summary>Whether the next request would be refused.</summary>
    public bool IsFull => _executor.WaitingIn(this) >= Limit;

    /// <summary>When a caller that was refused may try again: about when half of what waits is done, in whole seconds.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            double seconds = TimeSpan.FromTicks(Volatile.Read(ref _typicalTicks)).TotalSeconds * Limit / 2 / _executor.Options.Threads;
            return TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(seconds), 1, 60));
        }
    }

    /// <summary>Queues the work and ends when it has run, or was given up before it began.</summary>
    /// <exception cref="ServingException">The lane is full, the executor stops, the time is over, or the caller cancelled.</exception>
    public Task<RunTimes> RunAsync(IInference work, TimeSpan timeout, CancellationToken cancellation)
    {
        var ticket = new Ticket(_executor, this, work);
        _executor.Enqueue(this, ticket);
        ticket.Watch(timeout, cancellation);
        return ticket.Task;
    }

    internal ServingException Overloaded()
    {
        TimeSpan wait = RetryAfter;
        return new ServingException(ServingError.Overloaded,
            $"The model's queue of {Limit} requests is full; try again in {wait.TotalSeconds:0} s.") { RetryAfter = wait };
    }

    internal void RefuseAll()
    {
        foreach (Ticket ticket in Waiting)
        {
            ticket.Node = null;
            ticket.Refuse(new ServingException(ServingError.Stopping, "The server is stopping; ask another one."));
        }
        Waiting.Clear();
    }

    /// <summary>Keeps a moving average, an eighth at a time.</summary>
    internal void Record(TimeSpan duration)
    {
        long typical = Volatile.Read(ref _typicalTicks);
        Volatile.Write(ref _typicalTicks, typical == 0 ? duration.Ticks : typical + (duration.Ticks - typical) / 8);
    }
}
