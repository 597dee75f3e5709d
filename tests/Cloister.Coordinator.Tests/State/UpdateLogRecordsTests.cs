using System.Collections.Immutable;
using System.Text;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.State;

public sealed class UpdateLogRecordsTests
{
    [Theory, InlineData(1), InlineData(3), InlineData(31), InlineData(32), InlineData(33), InlineData(100)]
    public async Task Lines_come_back_in_order_however_many_are_added_at_once(int atOnce)
    {
        var store = new MemoryStore();
        ImmutableList<string> log = [];
        for (int round = 0; round < 5; round++)
        {
            int stored = log.Count;
            log = log.AddRange(Lines(stored, atOnce));
            await CommitAsync(store, stored, log);
            Assert.Equal(log, UpdateLogRecords.Read(await store.ReadAllAsync(default)));
        }
        Assert.Equal((log.Count + UpdateLogRecords.LinesPerRecord - 1) / UpdateLogRecords.LinesPerRecord, (await store.ReadAllAsync(default)).Count);
    }

    [Fact]
    public void Nothing_new_writes_nothing()
    {
        var transaction = new StoreTransaction();
        UpdateLogRecords.Put(transaction, 40, [.. Lines(0, 40)]);
        Assert.Empty(transaction.Writes);
    }

    [Theory, InlineData(1), InlineData(32), InlineData(40), InlineData(64)]
    public async Task Records_of_one_line_each_are_read_and_joined_as_the_log_grows(int lines)
    {
        var store = new MemoryStore();
        var old = new StoreTransaction();
        ImmutableList<string> log = [.. Lines(0, lines)];
        for (int i = 0; i < lines; i++)
            old.Put($"updateLog:{i:d8}", Encoding.UTF8.GetBytes(log[i]));
        await store.CommitAsync(old, default);
        Assert.Equal(log, UpdateLogRecords.Read(await store.ReadAllAsync(default)));
        log = log.AddRange(Lines(lines, 3));
        await CommitAsync(store, lines, log);
        Assert.Equal(log, UpdateLogRecords.Read(await store.ReadAllAsync(default)));
    }

    [Fact]
    public async Task A_missing_record_is_refused()
    {
        var store = new MemoryStore();
        await CommitAsync(store, 0, [.. Lines(0, 70)]);
        await store.CommitAsync(new StoreTransaction().Delete("updateLog:00000032"), default);
        var records = await store.ReadAllAsync(default);
        Assert.Equal(StoreError.Corrupt, Assert.Throws<StoreException>(() => UpdateLogRecords.Read(records)).Error);
    }

    private static async Task CommitAsync(MemoryStore store, int stored, ImmutableList<string> log)
    {
        var transaction = new StoreTransaction();
        UpdateLogRecords.Put(transaction, stored, log);
        await store.CommitAsync(transaction, default);
    }

    private static IEnumerable<string> Lines(int first, int count) => Enumerable.Range(first, count).Select(i => $$"""{"line":{{i}}}""");
}
