namespace Cloister.Coordinator.Stores;

/// <summary>
/// Named records that change only in transactions. Reads are consistent (never half of a transaction) and never wait for a writer.
/// Implementations throw <see cref="StoreException"/> for what they cannot read or write.
/// </summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>The record of that name, or null.</summary>
    ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation);

    /// <summary>Every record, as of one moment.</summary>
    ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation);

    /// <summary>
    /// Applies all of <paramref name="transaction"/> or nothing. Returns, once it is durable, the version that every record written by it now has;
    /// null if a required version is not the current one.
    /// </summary>
    ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation);
}

/// <summary>A value and its version. Versions of a store only grow and are never given twice, also not to a record that is deleted and written anew.</summary>
/// <param name="Value">The bytes as they were put.</param>
/// <param name="Version">At least 1.</param>
public sealed record StoreRecord(ReadOnlyMemory<byte> Value, long Version);
