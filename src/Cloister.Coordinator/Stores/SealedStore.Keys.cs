using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Sealing;

namespace Cloister.Coordinator.Stores;

// Exchanging the data key, and what stands in clear beside the sealed records.
public sealed partial class SealedStore
{
    // Readers may still be at work with them; zeroed when the store closes.
    private readonly ConcurrentBag<SecretBytes> _retired = [];

    /// <summary>Whether the index in <paramref name="inner"/> opens under this key.</summary>
    internal static async Task<bool> IsKeyAsync(IStore inner, ReadOnlyMemory<byte> key, string name, CancellationToken cancellation)
    {
        if (await inner.GetAsync(IndexKey, cancellation) is not { } record
            || !KeyWrap.TryUnwrap(key.Span, record.Value.Span, Belonging(Encoding.UTF8.GetBytes(name), "index", "", 0), out byte[]? index))
            return false;
        CryptographicOperations.ZeroMemory(index);
        return true;
    }

    /// <summary>The copy in clear of a record; null if there is none. Anybody who can write the disk may have put it there.</summary>
    internal static async Task<ReadOnlyMemory<byte>?> ReadClearAsync(IStore inner, string key, CancellationToken cancellation) =>
        (await inner.GetAsync(CopyPrefix + key, cancellation))?.Value;

    /// <summary>Writes copies in clear that are missing or differ from the sealed records, and removes others. Says whether there were any.</summary>
    internal async Task<bool> RepairClearCopiesAsync(CancellationToken cancellation)
    {
        var records = await _inner.ReadAllAsync(cancellation);
        (SealedIndex index, long version, SecretBytes under) = OpenIndex(records);
        var repair = new StoreTransaction();
        foreach (string copy in records.Keys.Where(IsCopy))
        {
            if (!index.Entries.ContainsKey(copy[CopyPrefix.Length..]))
                repair.Delete(copy);
        }
        foreach ((string key, SealedIndex.Entry entry) in index.Entries.Where(entry => IsCopied(entry.Key)))
        {
            ReadOnlyMemory<byte> truth = Open(under, records, key, entry).Value;
            if (!records.TryGetValue(CopyPrefix + key, out StoreRecord? copy) || !copy.Value.Span.SequenceEqual(truth.Span))
                repair.Put(CopyPrefix + key, truth);
        }
        if (repair.Writes.Count == 0)
            return false;
        await _inner.CommitAsync(repair.Require(IndexKey, version), cancellation);
        return true;
    }

    // First the key file holds both keys, then the records change over in one commit, then the file holds the new key alone.
    // Wherever it stops, the file opens what is in the store; the next start removes the key that is no longer needed.
    private async ValueTask<long?> ExchangeKeyAsync(StoreTransaction transaction, SecretBytes given, CancellationToken cancellation)
    {
        DataKeyFile keyFile = _keyFile ?? throw new InvalidOperationException("This store has no key file, so its key cannot be exchanged.");
        SecretBytes old = _keys[0], next = SecretBytes.Copy(given.Span);
        await keyFile.WriteAsync(cancellation, old, next);
        _keys = [old, next];
        long? committed;
        try
        {
            committed = await CommitAsync(transaction, next, cancellation);
        }
        catch (StoreException unknown) when (unknown.Error == StoreError.Faulted)
        {
            // Either may be on disk, so both keys stay in the file.
            throw;
        }
        catch
        {
            await SettleAsync(old, next);
            throw;
        }
        if (committed is null)
            await SettleAsync(old, next);
        else
            await SettleAsync(next, old);
        return committed;

        async Task SettleAsync(SecretBytes kept, SecretBytes gone)
        {
            _keys = [kept];
            _retired.Add(gone);
            try
            {
                await keyFile.WriteAsync(CancellationToken.None, kept);
            }
            catch (StoreException failed) when (failed.Error == StoreError.WriteFailed)
            {
                // The file with both keys opens the state as well; what was committed stands.
                return;
            }
        }
    }

    // Every record as it is, in its version, under another key; except those that the transaction writes anyway.
    private Resealed Reseal(IReadOnlyDictionary<string, StoreRecord> records, SealedIndex index, SecretBytes under, SecretBytes newKey, StoreTransaction transaction)
    {
        var sealing = new StoreTransaction { LeavesNothingBehind = true };
        var entries = index.Entries.ToBuilder();
        foreach ((string key, SealedIndex.Entry entry) in index.Entries)
        {
            if (transaction.Writes.ContainsKey(key))
                continue;
            byte[] wrapped = KeyWrap.Wrap(newKey.Span, Open(under, records, key, entry).Value.Span, Belonging("record", key, entry.Version));
            sealing.Put(RecordPrefix + key, wrapped);
            entries[key] = entry with { Digest = SHA256.HashData(wrapped) };
        }
        return new Resealed(sealing, entries);
    }

    private static bool IsCopied(string record) => record.StartsWith(ClearPrefix, StringComparison.Ordinal);

    private static bool IsCopy(string inner) => inner.StartsWith(CopyPrefix, StringComparison.Ordinal);

    private sealed record Resealed(StoreTransaction Transaction, ImmutableSortedDictionary<string, SealedIndex.Entry>.Builder Entries);
}
