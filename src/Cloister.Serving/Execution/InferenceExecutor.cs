using Cloister.Serving.Engines;

namespace Cloister.Serving.Execution;

/// <summary>
/// Runs predictions on threads of its own, so that a long one never holds up a thread that serves connections. Each model has
/// a <see cref="Lane"/>, a bounded queue; a thread takes from the lane that has had the least of the threads' time (start-time fair
/// queueing: Goyal, Vin, Cheng 1996), so that neither a busy model nor a slow one starves another.
/// </summary>
internal sealed class InferenceExecutor : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly PriorityQueue<Lane, (long Spent, long Order)> _ready = new();
    private readonly HashSet<Lane> _capped = []; // have waiting requests, but run as many as they may
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _clock, _order;
    private int _alive, _running;
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

    /// <summary>A queue for one model.</summary>
    /// <param name="limit">How many requests may wait; null for the executor's own limit.</param>
    /// <param name="concurrency">How many may run at once; null for as many as there are threads.</param>
    public Lane CreateLane(int? limit = null, int? concurrency = null) => new(this, limit ?? Options.QueueLimit, concurrency ?? Options.Threads);

    /// <summary>Refuses what waits, lets what runs finish, and ends when the threads have.</summary>
    public async ValueTask DisposeAsync()
    {
        var refused = new List<Ticket>();
        lock (_gate)
        {
            _stopping = true;
            while (_ready.TryDequeue(out Lane? lane, out _)) refused.AddRange(lane.TakeAll());
            foreach (Lane lane in _capped) refused.AddRange(lane.TakeAll());
            Monitor.PulseAll(_gate);
        }
        foreach (Ticket ticket in refused) ticket.Refuse(Stopping());
        await _ended.Task;
    }

    internal void Enqueue(Lane lane, Ticket ticket)
    {
        lock (_gate)
        {
            if (_stopping) throw Stopping();
            if (lane.Waiting.Count >= lane.Limit) throw lane.Overloaded();
            Wake(lane);
            ticket.Node = lane.Waiting.AddLast(ticket);
            Join(lane);
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

    internal EngineLoad LoadOf(Lane lane)
    {
        lock (_gate) return new EngineLoad(lane.Waiting.Count, lane.Limit, lane.Running);
    }

    /// <summary>Counts a run on a thread that is not the executor's; false where the run must wait its turn.</summary>
    internal bool TryEnter(Lane lane)
    {
        lock (_gate)
        {
            if (_stopping || _ready.Count > 0 || _running >= Options.Threads || lane.Running >= lane.Concurrency) return false;
            Wake(lane);
            lane.Running++;
            _running++;
            return true;
        }
    }

    /// <summary>Ends what <see cref="TryEnter"/> counted.</summary>
    internal void Exit(Lane lane, TimeSpan ran)
    {
        lock (_gate) End(lane, ran.Ticks);
    }

    internal int WaitingIn(Lane lane)
    {
        lock (_gate) return lane.Waiting.Count;
    }

    private static ServingException Stopping() => new(ServingError.Stopping, "The server is stopping; ask another one.");

    private void Work()
    {
        for (Ticket? ticket = Next(null, default); ticket is not null; ticket = Next(ticket, ticket.Run()))
        {
        }
        if (Interlocked.Decrement(ref _alive) == 0) _ended.SetResult();
    }

    private Ticket? Next(Ticket? ended, TimeSpan ran)
    {
        lock (_gate)
        {
            if (ended is not null)
            {
                End(ended.Lane, ran.Ticks - ended.Charged);
            }
            while (true)
            {
                while (_ready.TryDequeue(out Lane? lane, out _))
                {
                    lane.InRound = false;
                    // Its requests may all have been withdrawn meanwhile.
                    if (lane.Waiting.First is not { } node) continue;
                    lane.Waiting.RemoveFirst();
                    node.Value.Node = null;
                    lane.Running++;
                    _running++;
                    _clock = Math.Max(_clock, lane.Spent);
                    // Charged beforehand with what a run usually takes, until it is known what this one did.
                    lane.Spent += node.Value.Charged = lane.TypicalTicks;
                    Join(lane);
                    return node.Value;
                }
                if (_stopping) return null;
                Monitor.Wait(_gate);
            }
        }
    }

    private void End(Lane lane, long spent)
    {
        lane.Running--;
        _running--;
        lane.Spent += spent;
        if (_capped.Remove(lane)) Join(lane);
    }

    // One that was idle begins where the others are: it has saved up nothing.
    private void Wake(Lane lane)
    {
        if (lane.Waiting.Count == 0 && lane.Running == 0) lane.Spent = Math.Max(lane.Spent, _clock);
    }

    private void Join(Lane lane)
    {
        if (lane.InRound || lane.Waiting.Count == 0) return;
        if (lane.Running >= lane.Concurrency)
        {
            _capped.Add(lane);
            return;
        }
        lane.InRound = true;
        _ready.Enqueue(lane, (lane.Spent, _order++));
        Monitor.Pulse(_gate);
    }
}
