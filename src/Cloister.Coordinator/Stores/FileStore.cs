using System.Collections.Immutable;

namespace Cloister.Coordinator.Stores;

/// <summary>A store in a single file, rewritten atomically on every commit. One process at a time; reads come from memory.</summary>
public sealed class FileStore : IStore
{
    private readonly SemaphoreSlim _writer = new(1, 1);
    private readonly IFileLayer _files;
    private readonly string _path;
    private readonly IDisposable? _held;
    private volatile Content _content;
    private volatile bool _faulted;

    private FileStore(IFileLayer files, string path, IDisposable? held, Content content) =>
        (_files, _path, _held, _content) = (files, path, held, content);

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
        byte[]? file = files.Read(path, StateFile.MaxFileBytes);
        if (file is null)
            return new FileStore(files, path, held, new Content(0, ImmutableSortedDictionary.Create<string, StoreRecord>(StringComparer.Ordinal)));
        var (revision, records) = StateFile.Decode(file);
        return new FileStore(files, path, held, new Content(revision, records));
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
            if (_faulted)
                throw new StoreException(StoreError.Faulted, "An earlier write to the state failed and its outcome is unknown: restart the coordinator.");
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
            await Task.Run(() => Write(after), CancellationToken.None);
            _content = after;
            return revision;
        }
        finally
        {
            _writer.Release();
        }
    }

    private void Write(Content content)
    {
        byte[] bytes = StateFile.Encode(content.Revision, content.Records);
        var reached = AtomicFile.Stage.OldInPlace;
        try
        {
            AtomicFile.Replace(_files, _path, bytes, out reached);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _faulted = reached != AtomicFile.Stage.OldInPlace;
            throw _faulted
                ? new StoreException(StoreError.Faulted, $"Writing {_path} failed and it is unknown whether the change is on disk ({error.Message}): restart the coordinator.", error)
                : new StoreException(StoreError.WriteFailed, $"Writing {_path} failed and nothing was changed: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _writer.WaitAsync();
        _held?.Dispose();
        _writer.Dispose();
    }

    private sealed record Content(long Revision, ImmutableSortedDictionary<string, StoreRecord> Records);
}
