using Cloister.Serving.Engines;

namespace Cloister.Serving.Execution;

/// <summary>The queue of one model in an <see cref="InferenceExecutor"/>.</summary>
internal sealed class Lane
{
    /// <summary>A model that usually takes longer holds up no thread that serves connections.</summary>
    internal static readonly TimeSpan LongestHere = TimeSpan.FromMicroseconds(250);

    private const int RunsToTrust = 32;

    private readonly InferenceExecutor _executor;
    private long _typicalTicks;
    private int _untilTrusted = RunsToTrust;

    internal Lane(InferenceExecutor executor, int limit, int concurrency)
    {
        _executor = executor;
        Limit = limit;
        Concurrency = Math.Min(concurrency, executor.Options.Threads);
        ArgumentOutOfRangeException.ThrowIfLessThan(Limit, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Concurrency, 1);
    }

    /// <summary>How many requests may wait.</summary>
    public int Limit { get; }

    /// <summary>How many may run at once.</summary>
    public int Concurrency { get; }

    /// <summary>Whether the next request would be refused.</summary>
    public bool IsFull => _executor.WaitingIn(this) >= Limit;

    /// <summary>How busy it is.</summary>
    public EngineLoad Load => _executor.LoadOf(this);

    /// <summary>When a caller that was refused may try again.</summary>
    public TimeSpan RetryAfter => RetryAfterOf(Limit);

    /// <summary>Guarded by the executor.</summary>
    internal LinkedList<Ticket> Waiting { get; } = [];

    /// <summary>How many run. Guarded by the executor.</summary>
    internal int Running { get; set; }

    /// <summary>Whether the threads will come by. Guarded by the executor.</summary>
    internal bool InRound { get; set; }

    /// <summary>What it has had of the threads' time, in ticks, on the executor's scale. Guarded by the executor.</summary>
    internal long Spent { get; set; }

    /// <summary>A moving average of how long one run takes, in ticks.</summary>
    internal long TypicalTicks => Volatile.Read(ref _typicalTicks);

    /// <summary>
    /// Runs the work on the calling thread, if its runs are usually short, nothing waits, and a thread would be free for it. Nothing
    /// stops it in the middle: it is for work whose time does not depend on who asks.
    /// </summary>
    /// <returns>False if it has not run and must be queued.</returns>
    /// <exception cref="ServingException">The caller had left.</exception>
    public bool TryRunHere(IInference work, CancellationToken cancellation, out RunTimes times)
    {
        times = default;
        if (Volatile.Read(ref _untilTrusted) > 0 || TypicalTicks > LongestHere.Ticks || !_executor.TryEnter(this)) return false;
        TimeSpan ran = default;
        try
        {
            if (cancellation.IsCancellationRequested) throw new ServingException(ServingError.Cancelled, "The caller gave up.");
            long start = _executor.Time.GetTimestamp();
            try
            {
                work.Execute();
            }
            finally
            {
                ran = _executor.Time.GetElapsedTime(start);
                Record(ran);
            }
        }
        finally
        {
            _executor.Exit(this, ran);
        }
        times = new RunTimes(TimeSpan.Zero, ran);
        return true;
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

    /// <summary>About when half of so many runs are done, in whole seconds.</summary>
    internal TimeSpan RetryAfterOf(int waiting)
    {
        double seconds = TimeSpan.FromTicks(TypicalTicks).TotalSeconds * waiting / 2 / Concurrency;
        return TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(seconds), 1, 60));
    }

    internal ServingException Overloaded()
    {
        TimeSpan wait = RetryAfter;
        return new ServingException(ServingError.Overloaded,
            $"The model's queue of {Limit} requests is full; try again in {wait.TotalSeconds:0} s.") { RetryAfter = wait };
    }

    /// <summary>Empties it. Guarded by the executor.</summary>
    internal IReadOnlyList<Ticket> TakeAll()
    {
        Ticket[] all = [.. Waiting];
        foreach (Ticket ticket in all) ticket.Node = null;
        Waiting.Clear();
        return all;
    }

    /// <summary>Keeps the moving average, an eighth at a time.</summary>
    internal void Record(TimeSpan duration)
    {
        long typical = TypicalTicks;
        Volatile.Write(ref _typicalTicks, typical == 0 ? duration.Ticks : typical + (duration.Ticks - typical) / 8);
        if (Volatile.Read(ref _untilTrusted) > 0) Interlocked.Decrement(ref _untilTrusted);
    }
}
