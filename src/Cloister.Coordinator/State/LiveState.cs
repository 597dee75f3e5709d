using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.State;

/// <summary>
/// The current snapshot and the only way to a next one. Readers take <see cref="Current"/> and never wait.
/// One change at a time is decided, stored, and published after it is durable; what was published is therefore never lost.
/// </summary>
internal sealed class LiveState : IAsyncDisposable
{
    private const int MaxAttempts = 16;

    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly IStore _store;
    private volatile CoordinatorSnapshot _current;

    private LiveState(IStore store, CoordinatorSnapshot current) => (_store, _current) = (store, current);

    public CoordinatorSnapshot Current => _current;

    /// <summary>Loads what is stored, or stores <paramref name="create"/>'s snapshot where there is nothing yet. Owns the store once it returns.</summary>
    public static async Task<LiveState> OpenAsync(IStore store, Func<CoordinatorSnapshot> create, CancellationToken cancellation)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (SnapshotRecords.Read(await store.ReadAllAsync(cancellation)) is { } stored)
                return new LiveState(store, stored);
            CoordinatorSnapshot first = create();
            if (await store.CommitAsync(SnapshotRecords.Difference(null, first), cancellation) is { } version)
                return new LiveState(store, first with { Version = version });
        }
        throw Contended();
    }

    /// <summary>
    /// Decides on the newest snapshot what the next one is. The same object back means that nothing changes and nothing is written.
    /// <paramref name="decide"/> may run again if another coordinator wrote in between, and may throw: then nothing happened.
    /// </summary>
    public async Task<CoordinatorSnapshot> ChangeAsync(Func<CoordinatorSnapshot, CoordinatorSnapshot> decide, CancellationToken cancellation)
    {
        await _writer.WaitAsync(cancellation);
        try
        {
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                CoordinatorSnapshot before = _current, after = decide(before);
                if (ReferenceEquals(before, after))
                    return before;
                if (await _store.CommitAsync(SnapshotRecords.Difference(before, after), cancellation) is { } version)
                    return Publish(after with { Version = version });
                Publish(SnapshotRecords.Read(await _store.ReadAllAsync(cancellation))
                    ?? throw new StoreException(StoreError.Mixed, "The stored state vanished while the coordinator was running."));
            }
            throw Contended();
        }
        finally
        {
            _writer.Release();
        }
    }

    private CoordinatorSnapshot Publish(CoordinatorSnapshot next)
    {
        if (next.Version <= _current.Version)
            throw new StoreException(StoreError.Mixed, $"The store went back from version {_current.Version} to {next.Version} while the coordinator was running.");
        return _current = next;
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.WaitAsync();
        await _store.DisposeAsync();
        _writer.Dispose();
    }

    private static StoreException Contended() => new(StoreError.Contended, $"Other coordinators changed the state {MaxAttempts} times in between; try again.");
}
