namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>Requests that wait, in their order. A request that an accelerator failed waits in front, and not for that accelerator while there is another.</summary>
internal sealed class RequestQueue(int maximum)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<PoolRequest> _waiting = new();
    private TaskCompletionSource _changed = Pulse();

    public int Count
    {
        get
        {
            lock (_lock) return _waiting.Count;
        }
    }

    /// <summary>Adds at the end; false where as many wait as may.</summary>
    public bool TryAdd(PoolRequest request)
    {
        lock (_lock)
        {
            if (_waiting.Count >= maximum) return false;
            request.Place = _waiting.AddLast(request);
        }
        Wake();
        return true;
    }

    /// <summary>Adds in front: it has its place already and does not lose it.</summary>
    public void AddAgain(PoolRequest request)
    {
        lock (_lock) request.Place = _waiting.AddFirst(request);
        Wake();
    }

    /// <summary>Takes it out, if it waits.</summary>
    public void Remove(PoolRequest request)
    {
        lock (_lock) Take(request);
    }

    /// <summary>Takes all out.</summary>
    public PoolRequest[] Drain()
    {
        lock (_lock)
        {
            PoolRequest[] all = [.. _waiting];
            foreach (PoolRequest request in all) Take(request);
            return all;
        }
    }

    /// <summary>Waits for requests and takes the first, with those behind it that fit into one batch.</summary>
    /// <param name="taker">Who takes.</param>
    /// <param name="maximumRows">Items of a batch; a request of more goes alone.</param>
    /// <param name="isOnly">Whether there is no other accelerator now.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async ValueTask<List<PoolRequest>> TakeAsync(AcceleratorLink taker, int maximumRows, Func<bool> isOnly, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (TryTake(taker, maximumRows, isOnly()) is { Count: > 0 } taken) return taken;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation);
        }
    }

    /// <summary>Lets whoever waits look again: what an accelerator may take has changed.</summary>
    public void Wake()
    {
        TaskCompletionSource changed;
        lock (_lock) (changed, _changed) = (_changed, Pulse());
        changed.TrySetResult();
    }

    private List<PoolRequest> TryTake(AcceleratorLink taker, int maximumRows, bool isOnly)
    {
        var taken = new List<PoolRequest>();
        int rows = 0;
        for (LinkedListNode<PoolRequest>? node = _waiting.First; node is not null;)
        {
            PoolRequest request = node.Value;
            node = node.Next;
            if (request.FailedAt == taker && !isOnly) continue;
            if (taken.Count > 0 && rows + request.Rows > maximumRows) break;
            Take(request);
            taken.Add(request);
            rows += request.Rows;
            if (rows >= maximumRows) break;
        }
        return taken;
    }

    private void Take(PoolRequest request)
    {
        if (request.Place is not { } place) return;
        _waiting.Remove(place);
        request.Place = null;
    }

    private static TaskCompletionSource Pulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
