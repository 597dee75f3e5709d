using System.Collections.Immutable;
using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.Stores;

public sealed class FileStoreTests : IDisposable
{
    private const string DataPath = "/seal/sealed_data";

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_crash_after_any_operation_leaves_the_old_state_or_the_new()
    {
        int crashes = 0, disks = 0;
        for (int commitsBefore = 0; commitsBefore < 3; commitsBefore++)
        {
            for (int operations = 0; ; operations++)
            {
                var disk = new SimulatedDisk();
                await using FileStore store = FileStore.Open(DataPath, disk);
                for (int i = 0; i < commitsBefore; i++)
                    await store.CommitAsync(new StoreTransaction().Put("n", new byte[] { (byte)i }), default);
                disk.OperationsLeft = operations;
                bool crashed = false;
                try
                {
                    await store.CommitAsync(new StoreTransaction().Put("n", new byte[] { (byte)commitsBefore }).Put("m", new byte[1000]), default);
                }
                catch (SimulatedDisk.CrashException)
                {
                    crashed = true;
                }
                crashes += crashed ? 1 : 0;
                foreach (SimulatedDisk left in disk.AfterCrash())
                {
                    disks++;
                    var found = await FileStore.Open(DataPath, left).ReadAllAsync(default);
                    bool isNew = found.ContainsKey("m");
                    int value = found.TryGetValue("n", out StoreRecord? record) ? record.Value.Span[0] : -1;
                    Assert.Equal(isNew ? commitsBefore : commitsBefore - 1, value);
                    Assert.True(isNew || crashed, "An acknowledged commit was lost.");
                }
                if (!crashed)
                    break;
            }
        }
        Assert.Equal(15, crashes);
        Assert.True(disks > 100, $"{disks} disks");
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public async Task A_failure_before_the_rename_changes_nothing_and_may_be_repeated(int failingOperation)
    {
        var disk = new SimulatedDisk();
        await using FileStore store = FileStore.Open(DataPath, disk);
        await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }), default);
        disk.FailsAt = failingOperation;
        StoreException error = await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 2 }), default));
        Assert.Equal(StoreError.WriteFailed, error.Error);
        Assert.Equal(1, (await store.GetAsync("a", default))!.Value.Span[0]);
        Assert.NotNull(await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 3 }), default));
        Assert.Equal(3, (await FileStore.Open(DataPath, disk).GetAsync("a", default))!.Value.Span[0]);
    }

    [Theory, InlineData(3), InlineData(4)]
    public async Task A_failure_whose_outcome_is_unknown_ends_writing(int failingOperation)
    {
        var disk = new SimulatedDisk();
        await using FileStore store = FileStore.Open(DataPath, disk);
        disk.FailsAt = failingOperation;
        StoreException error = await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 2 }), default));
        Assert.Equal(StoreError.Faulted, error.Error);
        error = await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 3 }), default));
        Assert.Equal(StoreError.Faulted, error.Error);
    }

    [Fact]
    public async Task Two_processes_cannot_hold_one_store()
    {
        string path = Path.Combine(_folder, "data");
        await using FileStore first = FileStore.Open(path);
        Assert.Equal(StoreError.InUse, Assert.Throws<StoreException>(() => FileStore.Open(path)).Error);
    }

    [Fact]
    public async Task The_file_can_be_read_by_its_owner_alone()
    {
        if (OperatingSystem.IsWindows())
            return;
        string path = Path.Combine(_folder, "data");
        await using FileStore store = FileStore.Open(path);
        await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }), default);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(["data", "data.lock"], Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_damaged_file_is_refused_and_stays_as_it_is()
    {
        string path = Path.Combine(_folder, "data");
        await using (FileStore store = FileStore.Open(path))
            await store.CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }), default);
        byte[] good = File.ReadAllBytes(path);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0x40;
            File.WriteAllBytes(path, bad);
            StoreError error = Assert.Throws<StoreException>(() => FileStore.Open(path)).Error;
            Assert.True(error is StoreError.Corrupt or StoreError.NewerFormat, $"byte {i}: {error}");
            Assert.Equal(bad, File.ReadAllBytes(path));
        }
        foreach (int length in Enumerable.Range(0, good.Length))
        {
            File.WriteAllBytes(path, good[..length]);
            Assert.Equal(StoreError.Corrupt, Assert.Throws<StoreException>(() => FileStore.Open(path)).Error);
        }
    }

    [Fact]
    public void A_newer_format_is_refused_as_such()
    {
        byte[] file = StateFile.Encode(1, Records(("a", 1)));
        file[8]++;
        string path = Path.Combine(_folder, "data");
        File.WriteAllBytes(path, file);
        Assert.Equal(StoreError.NewerFormat, Assert.Throws<StoreException>(() => FileStore.Open(path)).Error);
        Assert.Equal(file, File.ReadAllBytes(path));
    }

    private static ImmutableSortedDictionary<string, StoreRecord> Records(params (string Key, long Version)[] records) =>
        records.ToImmutableSortedDictionary(record => record.Key, record => new StoreRecord(new byte[] { 1, 2, 3 }, record.Version), StringComparer.Ordinal);
}
