using System.Collections.Immutable;

namespace Cloister.Coordinator.Stores;

/// <summary>A store in a single file, which every commit changes whole or not at all. One process at a time; reads come from memory.</summary>
public sealed class FileStore : IStore
{
    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly StateWriter _file;
    private readonly IDisposable? _held;
    private volatile Content _content;

    private FileStore(StateWriter file, IDisposable? held, Content content) => (_file, _held, _content) = (file, held, content);

    /// <summary>
    /// Opens the store; no file means an empty one, and none is made before the first commit.
    /// Throws <see cref="StoreException"/> for a damaged or newer file, which stays as it is, and when another process holds it.
    /// </summary>
    public static FileStore Open(string path)
    {
        path = Path.GetFullPath(path);
        IDisposable held = OperatingSystemFiles.Lock(path + ".lock");
        try
        {
            return Open(path, OperatingSystemFiles.Instance, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    internal static FileStore Open(string path, IFileLayer files, IDisposable? held = null)
    {
        var writer = new StateWriter(files, path);
        Content content = writer.Read() is var (revision, records)
            ? new Content(revision, records)
            : new Content(0, ImmutableSortedDictionary.Create<string, StoreRecord>(StringComparer.Ordinal));
        return new FileStore(writer, held, content);
    }

    /// <inheritdoc/>
    public ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation) => new(_content.Records.GetValueOrDefault(key));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation) => new(_content.Records);

    /// <inheritdoc/>
    public async ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation)
    {
        await _writer.WaitAsync(cancellation);
        try
        {
            Content before = _content;
            foreach ((string key, long version) in transaction.Required)
            {
                if ((before.Records.GetValueOrDefault(key)?.Version ?? 0) != version)
                    return null;
            }
            long revision = checked(before.Revision + 1);
            var records = before.Records.ToBuilder();
            foreach ((string key, ReadOnlyMemory<byte>? value) in transaction.Writes)
            {
                if (value is { } bytes)
                    records[key] = new StoreRecord(bytes.ToArray(), revision);
                else
                    records.Remove(key);
            }
            var after = new Content(revision, records.ToImmutable());
            // Flushing blocks; once begun it is not cancelled, since its outcome has to be known.
            await Task.Run(() => _file.Commit(transaction, revision, before.Records, after.Records), CancellationToken.None);
            _content = after;
            return revision;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _writer.WaitAsync();
        _file.Dispose();
        _held?.Dispose();
        _writer.Dispose();
    }

    private sealed record Content(long Revision, ImmutableSortedDictionary<string, StoreRecord> Records);
}
