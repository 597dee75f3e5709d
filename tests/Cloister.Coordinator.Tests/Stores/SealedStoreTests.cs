using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Coordinator.Stores;
using Cloister.Sealing;

namespace Cloister.Coordinator.Tests.Stores;

public sealed class SealedStoreTests
{
    private static readonly byte[] Key = SHA256.HashData("key"u8);

    [Fact]
    public async Task Nothing_readable_reaches_the_store_below()
    {
        var inner = new MemoryStore();
        SealedStore store = await OpenAsync(inner);
        await store.CommitAsync(new StoreTransaction().Put("a", "a very secret value"u8.ToArray()), default);
        foreach (StoreRecord record in (await inner.ReadAllAsync(default)).Values)
            Assert.DoesNotContain("secret value", Encoding.Latin1.GetString(record.Value.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_key_is_refused_as_such()
    {
        var inner = new MemoryStore();
        await (await OpenAsync(inner)).CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }), default);
        Assert.Equal(StoreError.WrongKey, await ErrorAsync(() => SealedStore.OpenAsync(inner, SecretBytes.Random(32), "test", default)));
        Assert.Equal(StoreError.WrongKey, await ErrorAsync(() => SealedStore.OpenAsync(inner, SecretBytes.Copy(Key), "another", default)));
    }

    [Fact]
    public async Task Every_way_of_mixing_records_is_refused()
    {
        var inner = new MemoryStore();
        SealedStore store = await OpenAsync(inner);
        await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }).Put("b", new byte[] { 2 }), default);
        var old = await inner.ReadAllAsync(default);
        await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 3 }), default);
        var now = await inner.ReadAllAsync(default);

        await RefusedAsync(now, StoreError.Mixed, records => records["record/a"] = old["record/a"]);
        await RefusedAsync(now, StoreError.Mixed, records => records["index"] = old["index"]);
        await RefusedAsync(now, StoreError.Mixed, records => records.Remove("record/a"));
        await RefusedAsync(now, StoreError.Mixed, records => records.Remove("index"));
        await RefusedAsync(now, StoreError.Mixed, records => records["record/c"] = records["record/a"]);
        await RefusedAsync(now, StoreError.Mixed, records => (records["record/a"], records["record/b"]) = (records["record/b"], records["record/a"]));
        await RefusedAsync(now, StoreError.WrongKey, records => records["index"] = records["record/a"]);
        await RefusedAsync(now, StoreError.Mixed, records => records["record/a"] = Flipped(records["record/a"]));
        await RefusedAsync(now, StoreError.WrongKey, records => records["index"] = Flipped(records["index"]));
    }

    [Fact]
    public async Task Two_writers_over_one_store_see_each_other()
    {
        var inner = new MemoryStore();
        SealedStore one = await OpenAsync(inner), other = await OpenAsync(inner);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
            Assert.NotNull(await (i % 2 == 0 ? one : other).CommitAsync(new StoreTransaction().Put($"k{i}", new byte[] { (byte)i }), default)))));
        Assert.Equal(40, (await one.ReadAllAsync(default)).Count);
        long version = (await other.GetAsync("k0", default))!.Version;
        Assert.NotNull(await one.CommitAsync(new StoreTransaction().Require("k0", version).Put("k0", new byte[] { 1 }), default));
        Assert.Null(await other.CommitAsync(new StoreTransaction().Require("k0", version).Put("k0", new byte[] { 2 }), default));
    }

    [Fact]
    public void Mutated_indexes_are_read_back_or_refused()
    {
        var entry = new SealedIndex.Entry(2, SHA256.HashData("x"u8));
        byte[] valid = new SealedIndex(3, new Dictionary<string, SealedIndex.Entry> { ["a"] = entry, ["bü"] = entry }.ToImmutableSortedDictionary(StringComparer.Ordinal)).Encode();
        Assert.NotNull(SealedIndex.Decode(valid, out _));
        Mutations.Drive(valid, SealedIndex.Fuzz);
        Frozen.Equal("ad4bdd3021ea5dff5d2601b2137953e811491055895ecd34f2dcba22bf718690", valid);
    }

    [Fact]
    public void Mutated_key_files_are_read_back_or_refused()
    {
        byte[] valid = new SealedKeyFile("host-key", new byte[] { 1, 2, 3 }).Encode();
        Assert.NotNull(SealedKeyFile.Decode(valid));
        Mutations.Drive(valid, SealedKeyFile.Fuzz);
        Frozen.Equal("f1b6faac3d3062090b90f4d8a612c5f34b90e64bfd3d117b18ad09c2f6ba0fd1", valid);
    }

    private static async Task RefusedAsync(IReadOnlyDictionary<string, StoreRecord> records, StoreError expected, Action<Dictionary<string, StoreRecord>> change)
    {
        var changed = records.ToDictionary();
        change(changed);
        var inner = new MemoryStore();
        var transaction = new StoreTransaction();
        foreach ((string key, StoreRecord record) in changed)
            transaction.Put(key, record.Value);
        await inner.CommitAsync(transaction, default);
        Assert.Equal(expected, await ErrorAsync(() => OpenAsync(inner)));
    }

    private static async Task<StoreError> ErrorAsync(Func<Task> work) => (await Assert.ThrowsAsync<StoreException>(work)).Error;

    private static StoreRecord Flipped(StoreRecord record)
    {
        byte[] value = record.Value.ToArray();
        value[^1] ^= 1;
        return record with { Value = value };
    }

    private static Task<SealedStore> OpenAsync(MemoryStore inner) => SealedStore.OpenAsync(inner, SecretBytes.Copy(Key), "test", default);
}
