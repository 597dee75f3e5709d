using System.Text;
using Cloister.Coordinator.Stores;
using Cloister.Platform;
using Cloister.Sealing;

namespace Cloister.Coordinator.Tests.Stores;

/// <summary>Exchanging the data key touches two files: wherever it stops, what is on the disk opens and is the old state or the new one.</summary>
public sealed class KeyExchangeTests : IDisposable
{
    private const string Seal = "/seal", DataPath = "/seal/sealed_data", KeyPath = "/seal/sealed_key", Clear = SealedStore.ClearPrefix + "c";

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-exchange-").FullName;

    private HostKeySealer Sealer => new(Path.Combine(_root, "host"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task The_state_opens_under_the_new_key_alone()
    {
        var disk = new SimulatedDisk();
        SealedStore store = (await WrittenAsync(disk)).Store!;
        using SecretBytes old = await KeyAsync(disk), next = SecretBytes.Random(32);
        long version = (await store.GetAsync("b", default))!.Version;
        long? committed = await store.CommitAsync(Exchange(next), default);
        Assert.Equal((committed, version), ((await store.GetAsync("a", default))!.Version, (await store.GetAsync("b", default))!.Version));
        Assert.Equal(["a=new", "b=old", $"{Clear}=new"], await TextAsync(store));

        Assert.Equal(next.Span.ToArray(), (await KeyAsync(disk)).Span.ToArray());
        Assert.False(await SealedStore.IsKeyAsync(FileStore.Open(DataPath, disk), old.Memory, SealFolder.StoreName, default));
        SealedStore again = (await OpenAsync(disk)).Store!;
        Assert.Equal(["a=new", "b=old", $"{Clear}=new"], await TextAsync(again));
        // And once more, from there.
        using SecretBytes third = SecretBytes.Random(32);
        await again.CommitAsync(new StoreTransaction { NewKey = third }.Delete("b").Delete(Clear), default);
        Assert.Equal(["a=new"], await TextAsync((await OpenAsync(disk)).Store!));
        Assert.Null(await FileStore.Open(DataPath, disk).GetAsync("copy/" + Clear, default));
    }

    [Fact]
    public async Task A_crash_after_any_operation_leaves_the_old_state_or_the_new()
    {
        int crashes = 0, disks = 0;
        for (int operations = 0; ; operations++)
        {
            var disk = new SimulatedDisk();
            OpenedSealFolder folder = await WrittenAsync(disk);
            using SecretBytes next = SecretBytes.Random(32);
            disk.OperationsLeft = operations;
            bool crashed = false;
            try
            {
                await folder.Store!.CommitAsync(Exchange(next), default);
            }
            catch (SimulatedDisk.CrashException)
            {
                crashed = true;
                crashes++;
            }
            foreach (SimulatedDisk left in disk.AfterCrash())
            {
                disks++;
                bool isNew = await AssertOldOrNewAsync(left, $"after {operations} operations");
                Assert.True(isNew || crashed, "An acknowledged commit was lost.");
            }
            if (!crashed)
                break;
        }
        // Three files written, each in five operations.
        Assert.Equal(15, crashes);
        Assert.True(disks > 100, $"{disks} disks");
    }

    [Fact]
    public async Task A_second_crash_while_the_next_start_tidies_up_loses_nothing_either()
    {
        int second = 0;
        for (int operations = 5; operations < 15; operations++)
        {
            var disk = new SimulatedDisk();
            OpenedSealFolder folder = await WrittenAsync(disk);
            using SecretBytes next = SecretBytes.Random(32);
            disk.OperationsLeft = operations;
            await Assert.ThrowsAsync<SimulatedDisk.CrashException>(async () => await folder.Store!.CommitAsync(Exchange(next), default));
            for (int more = 0; more < 5; more++)
            {
                foreach (SimulatedDisk left in disk.AfterCrash())
                {
                    left.OperationsLeft = more;
                    try
                    {
                        await OpenAsync(left);
                    }
                    catch (SimulatedDisk.CrashException)
                    {
                        second++;
                    }
                    foreach (SimulatedDisk again in left.AfterCrash())
                        await AssertOldOrNewAsync(again, $"after {operations} and {more} operations");
                }
            }
        }
        Assert.True(second > 50, $"{second} second crashes");
    }

    [Fact]
    public async Task A_storage_that_fails_once_leaves_the_old_state_or_the_new()
    {
        for (int failing = 0; failing < 15; failing++)
        {
            var disk = new SimulatedDisk();
            OpenedSealFolder folder = await WrittenAsync(disk);
            using SecretBytes next = SecretBytes.Random(32);
            disk.FailsAt = failing;
            StoreError? error = null;
            try
            {
                await folder.Store!.CommitAsync(Exchange(next), default);
            }
            catch (StoreException failed)
            {
                error = failed.Error;
            }
            Assert.Equal(failing switch { < 8 => StoreError.WriteFailed, < 10 => StoreError.Faulted, _ => null }, error);
            disk.FailsAt = -1;
            if (error == StoreError.WriteFailed)
            {
                Assert.Equal(["a=old", "b=old", $"{Clear}=old"], await TextAsync(folder.Store!));
                await folder.Store!.CommitAsync(Exchange(next), default);
                error = null;
            }
            bool isNew = await AssertOldOrNewAsync(disk, $"failed at {failing}");
            Assert.True(isNew || error == StoreError.Faulted, "An acknowledged commit was lost.");
        }
    }

    [Fact]
    public async Task A_commit_that_is_refused_keeps_the_old_key()
    {
        var disk = new SimulatedDisk();
        SealedStore store = (await WrittenAsync(disk)).Store!;
        using SecretBytes old = await KeyAsync(disk), next = SecretBytes.Random(32);
        Assert.Null(await store.CommitAsync(Exchange(next).Require("a", 77), default));
        Assert.Equal(old.Span.ToArray(), (await KeyAsync(disk)).Span.ToArray());
        Assert.Equal(["a=old", "b=old", $"{Clear}=old"], await TextAsync(store));
        Assert.NotNull(await store.CommitAsync(Exchange(next), default));
    }

    [Fact]
    public async Task Readers_and_other_writers_never_wait_and_never_meet_a_wrong_key()
    {
        await using OpenedSealFolder folder = await SealFolder.OpenAsync(Path.Combine(_root, "real"), Sealer, default);
        SealedStore store = folder.Store!;
        await store.CommitAsync(Put("old"), default);
        using var stop = new CancellationTokenSource();
        Task reading = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                Assert.Equal(3, (await store.ReadAllAsync(default)).Count(record => record.Key != "w"));
        });
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
                Assert.NotNull(await store.CommitAsync(new StoreTransaction().Put("w", new[] { (byte)i }), default));
        });
        for (int i = 0; i < 10; i++)
        {
            using SecretBytes next = SecretBytes.Random(32);
            Assert.NotNull(await store.CommitAsync(Exchange(next), default));
        }
        await writing;
        await stop.CancelAsync();
        await reading;
        Assert.Equal(19, (await store.GetAsync("w", default))!.Value.Span[0]);
    }

    [Fact]
    public async Task Nothing_that_the_old_key_opens_stays_in_the_file()
    {
        var disk = new SimulatedDisk();
        SealedStore store = (await WrittenAsync(disk)).Store!;
        // The last whole writing was of large records; what stays is small, so the exchange alone would be appended.
        await store.CommitAsync(new StoreTransaction().Put("large", new byte[100_000]).Put("gone", new byte[1]), default);
        await store.CommitAsync(new StoreTransaction().Delete("gone"), default);
        await store.CommitAsync(new StoreTransaction().Put("large", new byte[10]), default);
        byte[] sealedUnderOld = (await FileStore.Open(DataPath, disk).GetAsync("record/b", default))!.Value.ToArray();
        Assert.True(Contains(disk.Read(DataPath, long.MaxValue)!, sealedUnderOld));
        using SecretBytes next = SecretBytes.Random(32);
        await store.CommitAsync(Exchange(next), default);
        byte[] file = disk.Read(DataPath, long.MaxValue)!;
        Assert.False(Contains(file, sealedUnderOld));
        Assert.True(file.Length < 10_000, $"{file.Length} bytes");
    }

    [Fact]
    public async Task A_store_without_a_key_file_cannot_exchange_its_key()
    {
        SealedStore store = await SealedStore.OpenAsync(new MemoryStore(), SecretBytes.Random(32), "test", default);
        using SecretBytes next = SecretBytes.Random(32);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.CommitAsync(Exchange(next), default));
    }

    private async Task<OpenedSealFolder> WrittenAsync(SimulatedDisk disk)
    {
        OpenedSealFolder folder = await OpenAsync(disk);
        await folder.Store!.CommitAsync(Put("old"), default);
        return folder;
    }

    private static StoreTransaction Put(string value) => new StoreTransaction().Put("a", Encoding.ASCII.GetBytes(value)).Put("b", Encoding.ASCII.GetBytes(value)).Put(Clear, Encoding.ASCII.GetBytes(value));

    // b is not written, and has to be sealed anew as it is.
    private static StoreTransaction Exchange(SecretBytes next) => new StoreTransaction { NewKey = next }.Put("a", "new"u8.ToArray()).Put(Clear, "new"u8.ToArray());

    private Task<OpenedSealFolder> OpenAsync(SimulatedDisk disk) => SealFolder.OpenAsync(Seal, FileStore.Open(DataPath, disk), Sealer, disk, default);

    private async Task<SecretBytes> KeyAsync(SimulatedDisk disk) => Assert.Single((await new DataKeyFile(KeyPath, Sealer, disk).ReadAsync(default)).Keys);

    private async Task<bool> AssertOldOrNewAsync(SimulatedDisk disk, string when)
    {
        OpenedSealFolder folder = await OpenAsync(disk);
        Assert.True(folder.RecoveryReason is null, $"{when}: {folder.RecoveryReason}");
        Assert.False(folder.ClearCopiesRepaired, when);
        string[] records = await TextAsync(folder.Store!);
        bool isNew = records[0] == "a=new";
        Assert.Equal(isNew ? ["a=new", "b=old", $"{Clear}=new"] : ["a=old", "b=old", $"{Clear}=old"], records);
        // Only the key that is needed is left, and writing goes on.
        (await KeyAsync(disk)).Dispose();
        Assert.NotNull(await folder.Store!.CommitAsync(new StoreTransaction().Put("d", new byte[1]), default));
        return isNew;
    }

    private static bool Contains(byte[] file, byte[] part) => file.AsSpan().IndexOf(part) >= 0;

    private static async Task<string[]> TextAsync(SealedStore store) => [.. (await store.ReadAllAsync(default))
        .OrderBy(record => record.Key, StringComparer.Ordinal).Select(record => $"{record.Key}={Encoding.ASCII.GetString(record.Value.Value.Span)}")];
}
