using System.Text;
using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.Stores;

/// <summary>What every store does. Each implementation runs it.</summary>
public abstract class StoreContract : IAsyncLifetime
{
    private IStore _store = null!;

    protected string Folder { get; } = Directory.CreateTempSubdirectory("cloister-store-").FullName;

    /// <summary>A store over what earlier calls wrote, or a fresh one.</summary>
    protected abstract Task<IStore> OpenAsync();

    /// <summary>Whether <see cref="OpenAsync"/> finds what was written before.</summary>
    protected virtual bool Durable => true;

    public async Task InitializeAsync() => _store = await OpenAsync();

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    [Fact]
    public async Task A_new_store_is_empty()
    {
        Assert.Empty(await _store.ReadAllAsync(default));
        Assert.Null(await _store.GetAsync("a", default));
    }

    [Fact]
    public async Task What_was_put_is_read_back()
    {
        long? version = await _store.CommitAsync(new StoreTransaction().Put("a", Bytes("1")).Put("b", Bytes("")).Put("ü/:\0", new byte[70_000]), default);
        Assert.NotNull(version);
        Assert.Equal("1", Text(await _store.GetAsync("a", default)));
        Assert.Equal(version, (await _store.GetAsync("b", default))!.Version);
        Assert.Equal(70_000, (await _store.GetAsync("ü/:\0", default))!.Value.Length);
        Assert.Equal(3, (await _store.ReadAllAsync(default)).Count);
    }

    [Fact]
    public async Task A_put_keeps_its_own_copy()
    {
        byte[] value = [1, 2, 3];
        await _store.CommitAsync(new StoreTransaction().Put("a", value), default);
        value[0] = 9;
        Assert.Equal([1, 2, 3], (await _store.GetAsync("a", default))!.Value.ToArray());
    }

    [Fact]
    public async Task A_commit_with_a_version_that_is_not_current_changes_nothing()
    {
        long first = (await _store.CommitAsync(new StoreTransaction().Require("a", 0).Put("a", Bytes("1")), default))!.Value;
        long second = (await _store.CommitAsync(new StoreTransaction().Require("a", first).Put("a", Bytes("2")), default))!.Value;
        Assert.True(second > first);
        Assert.Null(await _store.CommitAsync(new StoreTransaction().Require("a", first).Put("a", Bytes("3")).Put("b", Bytes("3")), default));
        Assert.Null(await _store.CommitAsync(new StoreTransaction().Require("a", 0).Put("a", Bytes("3")), default));
        Assert.Null(await _store.CommitAsync(new StoreTransaction().Require("b", 7).Put("a", Bytes("3")), default));
        Assert.Equal("2", Text(await _store.GetAsync("a", default)));
        Assert.Null(await _store.GetAsync("b", default));
    }

    [Fact]
    public async Task A_deleted_and_rewritten_record_gets_a_new_version()
    {
        long first = (await _store.CommitAsync(new StoreTransaction().Put("a", Bytes("1")), default))!.Value;
        await _store.CommitAsync(new StoreTransaction().Delete("a").Delete("never was"), default);
        Assert.Null(await _store.GetAsync("a", default));
        long again = (await _store.CommitAsync(new StoreTransaction().Require("a", 0).Put("a", Bytes("1")), default))!.Value;
        Assert.True(again > first);
    }

    [Fact]
    public async Task Of_writers_with_the_same_expectation_exactly_one_wins()
    {
        long version = (await _store.CommitAsync(new StoreTransaction().Put("n", Bytes("0")), default))!.Value;
        long?[] outcomes = await Task.WhenAll(Enumerable.Range(0, 32).Select(i =>
            Task.Run(async () => await _store.CommitAsync(new StoreTransaction().Require("n", version).Put("n", Bytes($"{i}")), default))));
        Assert.Single(outcomes, outcome => outcome is not null);
    }

    [Fact]
    public async Task Generated_histories_match_a_dictionary()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var model = (await _store.ReadAllAsync(default)).ToDictionary(record => record.Key, record => (Text(record.Value), record.Value.Version));
            for (int step = 0; step < 15; step++)
            {
                var transaction = new StoreTransaction();
                bool holds = true;
                foreach (string key in Enumerable.Range(0, 5).Select(i => $"k{i}").Where(_ => random.Next(2) == 0))
                {
                    if (random.Next(4) == 0)
                    {
                        long actual = model.TryGetValue(key, out var entry) ? entry.Version : 0, expected = random.Next(5) == 0 ? actual + 1 : actual;
                        holds &= actual == expected;
                        transaction.Require(key, expected);
                    }
                    _ = random.Next(4) == 0 ? transaction.Delete(key) : transaction.Put(key, Bytes($"{seed}/{step}/{random.Next()}"));
                }
                long? version = await _store.CommitAsync(transaction, default);
                Assert.Equal(holds, version is not null);
                foreach ((string key, ReadOnlyMemory<byte>? value) in holds ? transaction.Writes : new Dictionary<string, ReadOnlyMemory<byte>?>())
                {
                    if (value is { } bytes)
                        model[key] = (Encoding.UTF8.GetString(bytes.Span), version!.Value);
                    else
                        model.Remove(key);
                }
                AssertSame(model, await _store.ReadAllAsync(default), $"seed {seed}, step {step}");
            }
            if (!Durable)
                continue;
            await _store.DisposeAsync();
            _store = await OpenAsync();
            AssertSame(model, await _store.ReadAllAsync(default), $"seed {seed}, opened again");
        }
    }

    private static void AssertSame(Dictionary<string, (string? Text, long Version)> model, IReadOnlyDictionary<string, StoreRecord> records, string when) => Assert.True(
        model.Count == records.Count && model.All(entry => records.TryGetValue(entry.Key, out StoreRecord? record) && (Text(record), record.Version) == entry.Value), when);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Text(StoreRecord? record) => record is null ? null : Encoding.UTF8.GetString(record.Value.Span);
}

public sealed class MemoryStoreTests : StoreContract
{
    protected override bool Durable => false;

    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(new MemoryStore());
}

public sealed class FileStoreContractTests : StoreContract
{
    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(FileStore.Open(Path.Combine(Folder, "data")));
}

public sealed class SealedFileStoreContractTests : StoreContract
{
    protected override async Task<IStore> OpenAsync() =>
        await SealedStore.OpenAsync(FileStore.Open(Path.Combine(Folder, "data")), Cloister.Sealing.SecretBytes.Copy(new byte[32]), "test", default);
}
