using System.Collections.Immutable;

namespace Cloister.Coordinator.Stores;

/// <summary>A store that forgets everything with its process: MarbleRun's seal mode "Disabled", and recovery.</summary>
public sealed class MemoryStore : IStore
{
    private readonly Lock _writer = new();
    private volatile Content _content;

    /// <summary>An empty store.</summary>
    public MemoryStore() => _content = new(0, ImmutableDictionary.Create<string, StoreRecord>(StringComparer.Ordinal));

    /// <summary>A store that goes on from another's records, in their versions.</summary>
    internal MemoryStore(IReadOnlyDictionary<string, StoreRecord> records) =>
        _content = new(records.Values.Select(record => record.Version).DefaultIfEmpty().Max(), records.ToImmutableDictionary(StringComparer.Ordinal));

    /// <inheritdoc/>
    public ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation) => new(_content.Records.GetValueOrDefault(key));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation) => new(_content.Records);

    /// <inheritdoc/>
    public ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_writer)
        {
            var records = _content.Records;
            foreach ((string key, long version) in transaction.Required)
            {
                if ((records.GetValueOrDefault(key)?.Version ?? 0) != version)
                    return new(default(long?));
            }
            long revision = _content.Revision + 1;
            foreach ((string key, ReadOnlyMemory<byte>? value) in transaction.Writes)
                records = value is { } bytes ? records.SetItem(key, new StoreRecord(bytes.ToArray(), revision)) : records.Remove(key);
            _content = new Content(revision, records);
            return new(revision);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed record Content(long Revision, ImmutableDictionary<string, StoreRecord> Records);
}
