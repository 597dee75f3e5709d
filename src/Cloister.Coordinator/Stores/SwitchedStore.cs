namespace Cloister.Coordinator.Stores;

/// <summary>
/// A store whose place may change while it is used: from memory to the disk when a state was recovered, and from the disk to memory
/// when a manifest wants nothing kept. To its user the change looks as if another writer had come between.
/// </summary>
internal sealed class SwitchedStore(IStore first) : IStore
{
    private volatile IStore _inner = first;
    private volatile bool _forgot;

    /// <summary>Everything from now on goes to <paramref name="next"/>. The store before stays its owner's.</summary>
    public void SwitchTo(IStore next) => _inner = next;

    /// <inheritdoc/>
    public ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation) => _inner.GetAsync(key, cancellation);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation) => _inner.ReadAllAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation) => (transaction.ForgetOnDisk, _forgot) switch
    {
        (true, false) => ForgetAsync(transaction, cancellation),
        (false, true) => throw new InvalidOperationException("What is kept in memory alone does not go back to the disk; SealModes refuses such a manifest."),
        _ => _inner.CommitAsync(transaction, cancellation),
    };

    /// <summary>Leaves the stores to their owners.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // The disk is emptied first. A crash in between loses what was on it, all of it older than the change that is not acknowledged yet
    // and that wanted it gone.
    private async ValueTask<long?> ForgetAsync(StoreTransaction transaction, CancellationToken cancellation)
    {
        IStore disk = _inner;
        var records = await disk.ReadAllAsync(cancellation);
        var memory = new MemoryStore(records);
        var emptying = new StoreTransaction();
        foreach ((string key, StoreRecord record) in records)
            emptying.Require(key, record.Version).Delete(key);
        long? committed = await memory.CommitAsync(transaction, cancellation);
        if (committed is null || await disk.CommitAsync(emptying, cancellation) is null)
            return null;
        (_inner, _forgot) = (memory, true);
        return committed;
    }
}
