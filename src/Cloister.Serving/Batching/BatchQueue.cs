using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Batching;

/// <summary>
/// The requests of one model that wait to be joined. At most one turn of the model's lane is asked for at a time; when it comes, it
/// takes all that fits, so that batches grow by themselves while the threads are busy and a lone request runs at once. Where there is
/// a timeout, an unfilled batch waits for as many items as the last one had, but no longer than that.
/// </summary>
internal sealed class BatchQueue : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<BatchMember> _waiting = [];
    private readonly ICallableEngine _engine;
    private readonly TensorPool _pool;
    private readonly TimeProvider _time;
    private readonly ITimer? _timer;
    private int _items, _expected = 1;
    private bool _asked, _lingers;

    public BatchQueue(ICallableEngine engine, TensorPool pool, BatchingOptions options, BatchStatistics statistics, TimeProvider time)
    {
        (_engine, _pool, _time, Options, Statistics) = (engine, pool, time, options, statistics);
        if (options.BatchTimeout > TimeSpan.Zero)
            _timer = time.CreateTimer(static state => ((BatchQueue)state!).EndLingering(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public BatchingOptions Options { get; }

    public BatchStatistics Statistics { get; }

    /// <summary>Whether the next request would be refused.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate) return _items >= Limit;
        }
    }

    /// <summary>Items that wait, and how many may.</summary>
    public (long Waiting, long Limit) Load
    {
        get
        {
            lock (_gate) return (_items, Limit);
        }
    }

    /// <summary>When a caller that was refused may try again.</summary>
    public TimeSpan RetryAfter => _engine.Lane.RetryAfterOf(Options.MaxEnqueuedBatches);

    private long Limit => (long)Options.MaxEnqueuedBatches * Options.MaxBatchSize;

    /// <summary>Waits for a batch and for its outcome.</summary>
    /// <param name="inputs">Checked tensors of one shape beyond the first dimension.</param>
    /// <param name="items">Their first dimension, at most <see cref="BatchingOptions.MaxBatchSize"/>.</param>
    /// <param name="timeout">How long it may take altogether.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServingException">As <see cref="IModelEngine.PredictAsync"/>.</exception>
    public Task<Prediction> AddAsync(IReadOnlyList<Tensor> inputs, int items, TimeSpan timeout, CancellationToken cancellation)
    {
        var member = new BatchMember(this, inputs, items, _time);
        bool ask;
        lock (_gate)
        {
            if (_items > 0 && _items + items > Limit) throw Overloaded();
            member.Node = _waiting.AddLast(member);
            _items += items;
            ask = WantsTurn();
        }
        if (ask) AskForTurn();
        member.Watch(timeout, cancellation);
        return member.Task;
    }

    public void Dispose() => _timer?.Dispose();

    internal bool TryWithdraw(BatchMember member)
    {
        lock (_gate)
        {
            if (member.Node is not { } node) return false;
            Remove(node);
            return true;
        }
    }

    internal Batch? BatchOf(BatchMember member)
    {
        lock (_gate) return member.Batch;
    }

    private ServingException Overloaded()
    {
        TimeSpan wait = RetryAfter;
        return new ServingException(ServingError.Overloaded,
            $"The model's queue of {Options.MaxEnqueuedBatches} batches is full; try again in {wait.TotalSeconds:0} s.") { RetryAfter = wait };
    }

    private int Target => Options.WaitWhenIdle ? Options.MaxBatchSize : Math.Min(_expected, Options.MaxBatchSize);

    /// <summary>Whether to ask for a turn now, or to wait for more. Under the gate.</summary>
    private bool WantsTurn()
    {
        if (_asked) return false;
        if (_timer is null || _items >= Target)
        {
            _lingers = false;
            return _asked = true;
        }
        if (!_lingers)
        {
            _lingers = true;
            // The system's timers count whole milliseconds.
            _timer.Change(Options.BatchTimeout < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : Options.BatchTimeout, Timeout.InfiniteTimeSpan);
        }
        return false;
    }

    private void EndLingering()
    {
        lock (_gate)
        {
            // What lingered may have run meanwhile.
            if (!_lingers || _asked || _waiting.Count == 0) return;
            _lingers = false;
            _asked = true;
        }
        AskForTurn();
    }

    private void AskForTurn()
    {
        try
        {
            Task<RunTimes> turn = _engine.Lane.RunAsync(new Turn(this), Timeout.InfiniteTimeSpan, CancellationToken.None);
            turn.ContinueWith(
                static (refused, queue) => ((BatchQueue)queue!).RefuseAll(refused.Exception!.InnerException!), this, CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        catch (ServingException refusal)
        {
            RefuseAll(refusal);
        }
    }

    private void RefuseAll(Exception reason)
    {
        BatchMember[] refused;
        lock (_gate)
        {
            refused = [.. _waiting];
            foreach (BatchMember member in refused) Remove(member.Node!);
            _asked = _lingers = false;
        }
        foreach (BatchMember member in refused) member.Refuse(reason);
    }

    private Batch? Take()
    {
        Batch? batch = null;
        bool ask;
        lock (_gate)
        {
            _asked = _lingers = false;
            if (_waiting.First is { } first) batch = Take(first.Value);
            // What is left has waited for a thread already.
            ask = _asked = _waiting.Count > 0;
        }
        if (ask) AskForTurn();
        return batch;
    }

    private Batch Take(BatchMember first)
    {
        var members = new List<BatchMember>();
        int items = 0;
        for (LinkedListNode<BatchMember>? node = _waiting.First, next; node is not null && items < Options.MaxBatchSize; node = next)
        {
            next = node.Next;
            BatchMember member = node.Value;
            if (member.Items > Options.MaxBatchSize - items || !BatchShape.Agree(first.Inputs, member.Inputs)) continue;
            Remove(node);
            members.Add(member);
            items += member.Items;
        }
        _expected = members.Count > 1 ? items : 1;
        var batch = new Batch([.. members], items, _engine, _pool, Options, Statistics, _time);
        foreach (BatchMember member in members) member.Batch = batch;
        return batch;
    }

    private void Remove(LinkedListNode<BatchMember> node)
    {
        _waiting.Remove(node);
        node.Value.Node = null;
        _items -= node.Value.Items;
    }

    /// <summary>A turn of the lane: runs what has come together by then.</summary>
    private sealed class Turn(BatchQueue queue) : IInference
    {
        public void Execute() => queue.Take()?.Run();

        public void Interrupt()
        {
            // Turns have no deadline; the members of a batch have.
        }
    }
}
