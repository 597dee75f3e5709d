using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.State;

/// <summary>
/// The current snapshot and the only way to a next one. Readers take <see cref="Current"/> and never wait.
/// Changes that come while one is being stored are decided one after the other and stored together in one commit;
/// a snapshot is published, and its changes acknowledged, after it is durable: what was published is therefore never lost.
/// </summary>
internal sealed class LiveState : IAsyncDisposable
{
    private const int MaxAttempts = 16;

    private readonly Lock _lock = new();
    private readonly IStore _store;
    private List<Change> _waiting = [];
    private Task _writing = Task.CompletedTask;
    private bool _closed;
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
    /// Decides on the newest snapshot what the next one is, and gives that one back once it is durable; others' later changes may have been stored with it.
    /// The same object back from <paramref name="decide"/> means that nothing changes. It runs on another thread, may run again if the change
    /// could not be stored as it was, and may throw: then this change did not happen, and no other is touched.
    /// Cancelling withdraws a change that waits; one that was taken up runs to its end.
    /// </summary>
    public async Task<CoordinatorSnapshot> ChangeAsync(Func<CoordinatorSnapshot, CoordinatorSnapshot> decide, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var change = new Change(decide);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _waiting.Add(change);
            // One writer at a time: whoever finds none starts it, and it runs until nothing waits.
            if (_writing.IsCompleted)
                _writing = Task.Run(WriteWaitingAsync, CancellationToken.None);
        }
        await using CancellationTokenRegistration registration = cancellation.Register(() => Withdraw(change, cancellation));
        return await change.Outcome;
    }

    private void Withdraw(Change change, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (!_waiting.Remove(change))
                return;
        }
        change.Cancel(cancellation);
    }

    private async Task WriteWaitingAsync()
    {
        while (true)
        {
            List<Change> group;
            lock (_lock)
            {
                if (_waiting.Count == 0)
                {
                    // Under the lock, so that whoever comes next sees that it has to start a writer.
                    _writing = Task.CompletedTask;
                    return;
                }
                (group, _waiting) = (_waiting, []);
            }
            await WriteAsync(group);
        }
    }

    // Whatever comes of it, every change of the group learns its outcome.
    private async Task WriteAsync(List<Change> group)
    {
        CoordinatorSnapshot before = _current;
        try
        {
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                CoordinatorSnapshot after = before = _current;
                foreach (Change change in group)
                    after = change.Decide(after);
                if (ReferenceEquals(before, after))
                {
                    group.ForEach(change => change.Complete(before.Version));
                    return;
                }
                if (await _store.CommitAsync(SnapshotRecords.Difference(before, after), CancellationToken.None) is { } version)
                {
                    Publish(after with { Version = version });
                    group.ForEach(change => change.Complete(version));
                    return;
                }
                Publish(SnapshotRecords.Read(await _store.ReadAllAsync(CancellationToken.None))
                    ?? throw new StoreException(StoreError.Mixed, "The stored state vanished while the coordinator was running."));
            }
            throw Contended();
        }
        catch (Exception error) when (group.Count > 1 && error is ArgumentException or StoreException { Error: StoreError.TooLarge })
        {
            // One of them cannot be stored at all: it fails alone.
            foreach (Change change in group)
                await WriteAsync([change]);
        }
#pragma warning disable CA1031 // Nothing is swallowed: each caller gets it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            group.ForEach(change => change.Fail(before, error));
        }
    }

    private void Publish(CoordinatorSnapshot next)
    {
        if (next.Version <= _current.Version)
            throw new StoreException(StoreError.Mixed, $"The store went back from version {_current.Version} to {next.Version} while the coordinator was running.");
        _current = next;
    }

    /// <summary>Stores what still waits, refuses what comes later, and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        Task writing;
        lock (_lock)
        {
            _closed = true;
            writing = _writing;
        }
        await writing;
        await _store.DisposeAsync();
    }

    private static StoreException Contended() => new(StoreError.Contended, $"Other coordinators changed the state {MaxAttempts} times in between; try again.");

    /// <summary>One caller's change: what it decided last, on which snapshot, and the caller's answer.</summary>
    private sealed class Change(Func<CoordinatorSnapshot, CoordinatorSnapshot> decide)
    {
        private readonly TaskCompletionSource<CoordinatorSnapshot> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CoordinatorSnapshot? _decidedOn, _decided;
        private Exception? _refused;

        public Task<CoordinatorSnapshot> Outcome => _outcome.Task;

        /// <summary>The snapshot after this change; the same one if it changes nothing or refuses.</summary>
        public CoordinatorSnapshot Decide(CoordinatorSnapshot before)
        {
            (_decidedOn, _decided, _refused) = (before, before, null);
            try
            {
                return _decided = decide(before);
            }
#pragma warning disable CA1031 // The caller gets it.
            catch (Exception refused)
#pragma warning restore CA1031
            {
                _refused = refused;
                return before;
            }
        }

        /// <summary>What it was decided on is durable, and so is what it decided.</summary>
        public void Complete(long version)
        {
            if (_refused is not null)
                _outcome.SetException(_refused);
            else
                _outcome.SetResult(_decided!.Version == version ? _decided : _decided with { Version = version });
        }

        /// <summary>Nothing was stored on top of <paramref name="stored"/>: what was refused on it stands, everything else did not happen.</summary>
        public void Fail(CoordinatorSnapshot stored, Exception error)
        {
            if (ReferenceEquals(_decidedOn, stored) && (_refused is not null || ReferenceEquals(_decided, stored)))
                Complete(stored.Version);
            else
                _outcome.SetException(error);
        }

        public void Cancel(CancellationToken cancellation) => _outcome.SetCanceled(cancellation);
    }
}
