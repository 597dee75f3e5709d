using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.State;

/// <summary>A store whose commits wait until they are let through, one by one, and end as the test says.</summary>
internal sealed class GatedStore(IStore inner) : IStore
{
    private readonly SemaphoreSlim _arrived = new(0), _let = new(0);
    private readonly Queue<Func<StoreTransaction, Task<long?>>> _outcomes = [];

    /// <summary>While false, commits pass as they come.</summary>
    public bool Closed { get; set; }

    public int Commits { get; private set; }

    /// <summary>Completes when a commit waits at the gate.</summary>
    public Task ArrivedAsync() => _arrived.WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Lets one commit through; <paramref name="outcome"/> replaces what the store does.</summary>
    public void Let(Func<StoreTransaction, Task<long?>>? outcome = null)
    {
        lock (_outcomes)
            _outcomes.Enqueue(outcome ?? CommitAsync);
        _let.Release();

        Task<long?> CommitAsync(StoreTransaction transaction) => inner.CommitAsync(transaction, default).AsTask();
    }

    /// <summary>Lets what waits and all that comes through.</summary>
    public void Open()
    {
        Closed = false;
        Let();
    }

    public ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation) => inner.GetAsync(key, cancellation);

    public ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation) => inner.ReadAllAsync(cancellation);

    public async ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation)
    {
        Commits++;
        if (!Closed)
            return await inner.CommitAsync(transaction, cancellation);
        _arrived.Release();
        await _let.WaitAsync(cancellation);
        Func<StoreTransaction, Task<long?>> outcome;
        lock (_outcomes)
            outcome = _outcomes.Dequeue();
        return await outcome(transaction);
    }

    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        _arrived.Dispose();
        _let.Dispose();
    }
}
