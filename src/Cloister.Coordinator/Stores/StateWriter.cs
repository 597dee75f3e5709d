using System.Collections.Immutable;

namespace Cloister.Coordinator.Stores;

/// <summary>
/// The file of a store while it is written: a commit is appended where that is enough, and everything is written anew where it is not.
/// Either way a crash leaves the state before it or after it. Belongs to one writer at a time.
/// </summary>
internal sealed class StateWriter(IFileLayer files, string path) : IDisposable
{
    /// <summary>Appended commits may take so much, or as much as the records: then everything is written anew.</summary>
    internal const int MinTailBytes = 1 << 20;

    private const string OldSuffix = ".v1";

    private IWrittenFile? _file;
    private byte[]? _old;
    private ReadOnlyMemory<byte> _digest;
    private long _recordsLength, _length;
    private bool _appendable, _faulted;

    /// <summary>Reads the file; null if there is none.</summary>
    public (long Revision, ImmutableSortedDictionary<string, StoreRecord> Records)? Read()
    {
        if (files.Read(path, StateFile.MaxFileBytes) is not { } file)
            return null;
        StateFileContent content = StateFile.Decode(file);
        if (content.Version < StateFile.FormatVersion)
            _old = file;
        (_recordsLength, _length, _digest) = (content.RecordsLength, content.Length, content.Digest);
        // What a crash left at the end is not written over: the next commit writes everything anew.
        _appendable = _old is null && !content.Torn;
        return (content.Revision, content.Records);
    }

    /// <summary>Makes a commit durable.</summary>
    /// <exception cref="StoreException">WriteFailed: nothing was changed. Faulted: the outcome is unknown, and nothing is written any more.</exception>
    public void Commit(StoreTransaction transaction, long revision, ImmutableSortedDictionary<string, StoreRecord> before, ImmutableSortedDictionary<string, StoreRecord> after)
    {
        if (_faulted)
            throw new StoreException(StoreError.Faulted, "An earlier write to the state failed and its outcome is unknown: restart the coordinator.");
        if (!TryAppend(transaction, revision, before))
            Replace(revision, after, settled: true);
    }

    public void Dispose() => Close();

    // What a commit deletes is to be gone from the disk, and so is everything that one under a new key replaces: neither is appended.
    private bool TryAppend(StoreTransaction transaction, long revision, ImmutableSortedDictionary<string, StoreRecord> before)
    {
        if (!_appendable || transaction.LeavesNothingBehind || transaction.Writes.Values.Any(value => value is null))
            return false;
        (byte[] bytes, byte[] digest) = StateFileCommit.Encode(revision, transaction.Writes, _digest.Span);
        // A file that was taken away or exchanged meanwhile is written anew as well.
        if (bytes.Length > _recordsLength / 2 || _length + bytes.Length > _recordsLength + Math.Max(MinTailBytes, _recordsLength) || files.Length(path) != _length)
            return false;
        bool written = false;
        try
        {
            _file ??= files.Append(path, _length);
            _file.Write(bytes);
            written = true;
            _file.Flush();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _appendable = false;
            // A commit that is not whole means nothing. One that is may be durable or not: the old state takes its place, so that it is not.
            if (written)
                Replace(revision - 1, before, settled: false);
            throw Failed(error);
        }
        (_length, _digest) = (_length + bytes.Length, digest);
        return true;
    }

    private void Replace(long revision, ImmutableSortedDictionary<string, StoreRecord> records, bool settled)
    {
        byte[] content = StateFile.Encode(revision, records, out byte[] digest);
        var reached = AtomicFile.Stage.OldInPlace;
        Close();
        try
        {
            if (_old is not null)
                AtomicFile.Replace(files, path + OldSuffix, _old, out _);
            AtomicFile.Replace(files, path, content, out reached);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _faulted = !settled || reached != AtomicFile.Stage.OldInPlace;
            throw _faulted
                ? new StoreException(StoreError.Faulted, $"Writing {path} failed and it is unknown whether the change is on disk ({error.Message}): restart the coordinator.", error)
                : Failed(error);
        }
        _old = null;
        (_recordsLength, _length, _digest, _appendable) = (content.Length, content.Length, digest, true);
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private StoreException Failed(Exception error) =>
        new(StoreError.WriteFailed, $"Writing {path} failed and nothing was changed: {error.Message}", error);
}
