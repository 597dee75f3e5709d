using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cloister.Sealing;

namespace Cloister.Coordinator.Stores;

/// <summary>
/// Seals every value before it reaches another store, under a data key. Each value is bound to the store's name, its own name and its version;
/// an index, sealed too, names all versions and digests, so that records cannot be removed, added, exchanged or mixed with those of another time.
/// The whole store can still be replaced by an older one: nothing in it can prevent that.
/// A record whose name begins with <see cref="ClearPrefix"/> stands in the store below once more as it is, for whoever has no key yet:
/// the sealed one is the truth, and a copy that differs is found when the store opens.
/// </summary>
public sealed partial class SealedStore : IStore
{
    /// <summary>Records that are also copied in clear.</summary>
    internal const string ClearPrefix = "clear:";

    private const string IndexKey = "index", RecordPrefix = "record/", CopyPrefix = "copy/";
    private const int MaxAttempts = 64;

    private readonly IStore _inner;
    private readonly DataKeyFile? _keyFile;
    private readonly byte[] _name;
    // The current key; while it is being exchanged, the next one too. Readers never wait, so either may meet either content.
    private volatile SecretBytes[] _keys;
    // The index that was opened or written last: mostly it is the one that is asked for next.
    private volatile OpenedIndex? _latest;

    private SealedStore(IStore inner, SecretBytes key, string name, DataKeyFile? keyFile) =>
        (_inner, _keys, _name, _keyFile) = (inner, [key], Encoding.UTF8.GetBytes(name), keyFile);

    /// <summary>
    /// Opens the store and checks every record. Owns <paramref name="inner"/> and <paramref name="key"/> once it returns.
    /// Throws <see cref="StoreException"/>: WrongKey where the index does not open, Mixed where records do not match it, NewerFormat.
    /// </summary>
    /// <param name="inner">Where the sealed values go.</param>
    /// <param name="key">The data key, 32 bytes.</param>
    /// <param name="name">The store's name: stores under the same key need different ones.</param>
    /// <param name="cancellation">Cancels the reading.</param>
    public static Task<SealedStore> OpenAsync(IStore inner, SecretBytes key, string name, CancellationToken cancellation) => OpenAsync(inner, key, name, null, cancellation);

    /// <summary>With the file that holds the data key: without it the key cannot be exchanged.</summary>
    internal static async Task<SealedStore> OpenAsync(IStore inner, SecretBytes key, string name, DataKeyFile? keyFile, CancellationToken cancellation)
    {
        var store = new SealedStore(inner, key, name, keyFile);
        await store.ReadAllAsync(cancellation);
        return store;
    }

    /// <summary>Whether the store holds anything, sealed by whichever key.</summary>
    public static async Task<bool> IsEmptyAsync(IStore inner, CancellationToken cancellation) => (await inner.ReadAllAsync(cancellation)).Count == 0;

    /// <inheritdoc/>
    public async ValueTask<StoreRecord?> GetAsync(string key, CancellationToken cancellation)
    {
        var sealedRecords = await _inner.ReadAllAsync(cancellation);
        (SealedIndex index, _, SecretBytes under) = OpenIndex(sealedRecords);
        return index.Entries.TryGetValue(key, out SealedIndex.Entry entry) ? Open(under, sealedRecords, key, entry) : null;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<string, StoreRecord>> ReadAllAsync(CancellationToken cancellation)
    {
        var sealedRecords = await _inner.ReadAllAsync(cancellation);
        (SealedIndex index, long indexVersion, SecretBytes under) = OpenIndex(sealedRecords);
        if (sealedRecords.Keys.Count(key => !IsCopy(key)) != index.Entries.Count + (indexVersion == 0 ? 0 : 1))
            throw Mixed("a record was added or removed");
        return index.Entries.ToDictionary(entry => entry.Key, entry => Open(under, sealedRecords, entry.Key, entry.Value), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public ValueTask<long?> CommitAsync(StoreTransaction transaction, CancellationToken cancellation) => transaction.NewKey is { } key
        ? ExchangeKeyAsync(transaction, key, cancellation)
        : CommitAsync(transaction, null, cancellation);

    private async ValueTask<long?> CommitAsync(StoreTransaction transaction, SecretBytes? newKey, CancellationToken cancellation)
    {
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var records = await _inner.ReadAllAsync(cancellation);
            (SealedIndex index, long indexVersion, SecretBytes under) = OpenIndex(records);
            foreach ((string key, long version) in transaction.Required)
            {
                if ((index.Entries.TryGetValue(key, out SealedIndex.Entry entry) ? entry.Version : 0) != version)
                    return null;
            }
            (StoreTransaction sealing, OpenedIndex next) = newKey is null
                ? Seal(transaction, index, under)
                : Seal(transaction, index, newKey, Reseal(records, index, under, newKey, transaction));
            // Another writer may have come between: the index shows it, and everything is looked at again.
            if (await _inner.CommitAsync(sealing.Require(IndexKey, indexVersion), cancellation) is null)
                continue;
            _latest = next;
            return next.Index.Generation;
        }
        throw new StoreException(StoreError.Contended, $"Other writers changed the state {MaxAttempts} times in between; try again.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        foreach (SecretBytes key in _keys.Concat(_retired))
            key.Dispose();
    }

    private (StoreTransaction Transaction, OpenedIndex Index) Seal(StoreTransaction transaction, SealedIndex index, SecretBytes under, Resealed? before = null)
    {
        long generation = checked(index.Generation + 1);
        StoreTransaction sealing = before?.Transaction ?? new StoreTransaction();
        var entries = before?.Entries ?? index.Entries.ToBuilder();
        foreach ((string key, ReadOnlyMemory<byte>? value) in transaction.Writes)
        {
            if (value is { } plaintext)
            {
                byte[] wrapped = KeyWrap.Wrap(under.Span, plaintext.Span, Belonging("record", key, generation));
                sealing.Put(RecordPrefix + key, wrapped);
                entries[key] = new SealedIndex.Entry(generation, SHA256.HashData(wrapped));
                if (IsCopied(key))
                    sealing.Put(CopyPrefix + key, plaintext);
            }
            else if (entries.Remove(key))
            {
                sealing.Delete(RecordPrefix + key);
                if (IsCopied(key))
                    sealing.Delete(CopyPrefix + key);
            }
        }
        var next = new SealedIndex(generation, entries.ToImmutable());
        byte[] sealedIndex = KeyWrap.Wrap(under.Span, next.Encode(), Belonging("index", "", 0));
        return (sealing.Put(IndexKey, sealedIndex), new OpenedIndex(sealedIndex, next, under));
    }

    private (SealedIndex Index, long Version, SecretBytes Key) OpenIndex(IReadOnlyDictionary<string, StoreRecord> records)
    {
        SecretBytes[] keys = _keys;
        if (!records.TryGetValue(IndexKey, out StoreRecord? record))
            return records.Count == 0 ? (SealedIndex.Empty, 0, keys[0]) : throw Mixed("its index was removed");
        if (_latest is { } latest && keys.Contains(latest.Key) && latest.Sealed.Span.SequenceEqual(record.Value.Span))
            return (latest.Index, record.Version, latest.Key);
        byte[]? plaintext = null;
        if (keys.FirstOrDefault(key => KeyWrap.TryUnwrap(key.Span, record.Value.Span, Belonging("index", "", 0), out plaintext)) is not { } under)
            throw new StoreException(StoreError.WrongKey, "The data key does not open the state: the key belongs to another state, or the state was changed.");
        SealedIndex? index = SealedIndex.Decode(plaintext!, out bool newer);
        if (newer)
            throw new StoreException(StoreError.NewerFormat, "The sealed state was written by a newer program. Start the newer program again.");
        _latest = new OpenedIndex(record.Value, index ?? throw Mixed("its index cannot be read"), under);
        return (index, record.Version, under);
    }

    private StoreRecord Open(SecretBytes under, IReadOnlyDictionary<string, StoreRecord> records, string key, SealedIndex.Entry entry)
    {
        if (!records.TryGetValue(RecordPrefix + key, out StoreRecord? record))
            throw Mixed("a record was removed");
        if (!SHA256.HashData(record.Value.Span).AsSpan().SequenceEqual(entry.Digest.Span)
            || !KeyWrap.TryUnwrap(under.Span, record.Value.Span, Belonging("record", key, entry.Version), out byte[]? plaintext))
            throw Mixed("a record was exchanged");
        return new StoreRecord(plaintext, entry.Version);
    }

    // LP(store) LP(kind) LP(record) version: what a sealed value belongs to.
    private byte[] Belonging(string kind, string key, long version) => Belonging(_name, kind, key, version);

    private static byte[] Belonging(byte[] name, string kind, string key, long version)
    {
        byte[][] parts = [name, Encoding.UTF8.GetBytes(kind), Encoding.UTF8.GetBytes(key)];
        byte[] bytes = new byte[parts.Sum(part => 4 + part.Length) + 8];
        Span<byte> rest = bytes;
        foreach (byte[] part in parts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, part.Length);
            part.CopyTo(rest[4..]);
            rest = rest[(4 + part.Length)..];
        }
        BinaryPrimitives.WriteInt64LittleEndian(rest, version);
        return bytes;
    }

    private static StoreException Mixed(string why) => new(StoreError.Mixed,
        $"The sealed state is not whole: {why}. Nothing was changed; put back a complete copy of the seal folder.");

    /// <param name="Sealed">As it stands in the store.</param>
    /// <param name="Index">What it says.</param>
    /// <param name="Key">That opens it.</param>
    private sealed record OpenedIndex(ReadOnlyMemory<byte> Sealed, SealedIndex Index, SecretBytes Key);
}
