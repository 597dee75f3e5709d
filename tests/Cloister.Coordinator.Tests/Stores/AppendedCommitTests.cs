using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests.Stores;

/// <summary>Commits that stand after the records of a state file.</summary>
public sealed class AppendedCommitTests : IDisposable
{
    private const string DataPath = "/seal/sealed_data";

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-store-").FullName;

    private string FilePath => Path.Combine(_folder, "data");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_small_commit_is_appended_and_found_again()
    {
        await using (FileStore store = FileStore.Open(FilePath))
        {
            await store.CommitAsync(Large(), default);
            byte[] before = File.ReadAllBytes(FilePath);
            for (int i = 1; i <= 3; i++)
                Assert.Equal(i + 1, await store.CommitAsync(Small(i), default));
            byte[] after = File.ReadAllBytes(FilePath);
            Assert.Equal(before, after[..before.Length]);
            Assert.InRange(after.Length - before.Length, 3 * 50, 3 * 100);
        }
        await using FileStore again = FileStore.Open(FilePath);
        Assert.Equal([3], (await again.GetAsync("n", default))!.Value.ToArray());
        Assert.Equal(4, (await again.GetAsync("n", default))!.Version);
        Assert.Equal(5, await again.CommitAsync(Small(4), default));
        Assert.Equal(10_000, (await again.GetAsync("large", default))!.Value.Length);
    }

    [Fact]
    public async Task What_a_commit_deletes_or_replaces_at_large_is_gone_from_the_disk()
    {
        await using FileStore store = FileStore.Open(FilePath);
        await store.CommitAsync(Large().Put("secret", "to be forgotten"u8.ToArray()), default);
        await store.CommitAsync(Small(1).Put("second", "to be forgotten, too"u8.ToArray()), default);
        await store.CommitAsync(new StoreTransaction().Delete("secret").Put("second", new byte[20]), default);
        Assert.False(File.ReadAllBytes(FilePath).AsSpan().IndexOf("to be forgotten"u8) >= 0);
        await store.CommitAsync(Small(2).Put("second", "to be forgotten, too"u8.ToArray()), default);
        await store.CommitAsync(Large().Put("second", new byte[20]), default);
        Assert.False(File.ReadAllBytes(FilePath).AsSpan().IndexOf("to be forgotten"u8) >= 0);
    }

    [Fact]
    public async Task Everything_is_written_anew_before_commits_take_more_than_their_share()
    {
        await using FileStore store = FileStore.Open(FilePath);
        await store.CommitAsync(new StoreTransaction().Put("large", new byte[100_000]), default);
        int rewritten = 0;
        for (long i = 0, last = 0; i < 100; i++)
        {
            await store.CommitAsync(new StoreTransaction().Put("n", new byte[40_000]), default);
            long length = new FileInfo(FilePath).Length;
            rewritten += length < last ? 1 : 0;
            Assert.True(length < 200_000 + StateWriter.MinTailBytes, $"{length} bytes after {i} commits");
            last = length;
        }
        Assert.InRange(rewritten, 2, 10);
    }

    [Fact]
    public async Task A_file_that_was_taken_away_or_cut_is_written_anew()
    {
        await using FileStore store = FileStore.Open(FilePath);
        await store.CommitAsync(Large(), default);
        await store.CommitAsync(Small(1), default);
        File.Delete(FilePath);
        await store.CommitAsync(Small(2), default);
        File.WriteAllBytes(FilePath, File.ReadAllBytes(FilePath)[..^8]);
        await store.CommitAsync(Small(3), default);
        Assert.Equal(4, StateFile.Decode(File.ReadAllBytes(FilePath)).Revision);
    }

    [Theory, InlineData(0, 1), InlineData(1, 1), InlineData(2, 1), InlineData(0, 3), InlineData(1, 2)]
    public async Task A_failure_to_append_changes_nothing_and_may_be_repeated(int failingOperation, int failures)
    {
        (SimulatedDisk disk, FileStore store) = await AppendingAsync();
        (disk.FailsAt, disk.Failures) = (failingOperation, failures);
        for (int i = 0; i < (failingOperation == 2 ? 1 : failures); i++)
            Assert.Equal(StoreError.WriteFailed, (await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(Small(9), default))).Error);
        disk.FailsAt = -1;
        foreach (SimulatedDisk left in disk.AfterCrash())
            Assert.Null(await FileStore.Open(DataPath, left).GetAsync("n", default));
        Assert.Equal(2, await store.CommitAsync(Small(2), default));
        Assert.Equal([2], (await FileStore.Open(DataPath, disk).GetAsync("n", default))!.Value.ToArray());
    }

    [Theory, InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public async Task A_failed_flush_that_cannot_be_undone_ends_writing(int failures)
    {
        (SimulatedDisk disk, FileStore store) = await AppendingAsync();
        (disk.FailsAt, disk.Failures) = (2, failures);
        for (int i = 0; i < 2; i++)
            Assert.Equal(StoreError.Faulted, (await Assert.ThrowsAsync<StoreException>(async () => await store.CommitAsync(Small(9), default))).Error);
    }

    [Fact]
    public void A_commit_that_is_not_whole_at_the_end_means_nothing()
    {
        byte[] file = Appended(3);
        int last = StateFile.Decode(Appended(2)).Length;
        for (int length = last; length < file.Length; length++)
        {
            StateFileContent content = StateFile.Decode(file.AsSpan(0, length));
            Assert.Equal((3, last, length > last), (content.Revision, content.Length, content.Torn));
        }
        // Blocks that were not written when the machine stopped are zeros.
        foreach (Range zeros in new[] { last.., last..(last + 16), (last + 8)..(last + 20), (last + 40).. })
        {
            byte[] torn = [.. file];
            torn.AsSpan(zeros).Clear();
            Assert.Equal(3, StateFile.Decode(torn).Revision);
        }
    }

    [Fact]
    public void A_damaged_commit_with_others_behind_it_is_refused()
    {
        byte[] file = Appended(3);
        (int first, int last) = (StateFile.Decode(Appended(0)).Length, StateFile.Decode(Appended(2)).Length);
        for (int i = 0; i < file.Length; i++)
        {
            byte[] bad = [.. file];
            bad[i] ^= 0x10;
            try
            {
                // Damage to the last commit cannot be told from a crash while it was written.
                Assert.Equal(3, StateFile.Decode(bad).Revision);
                Assert.True(i >= last + 8, $"byte {i}");
            }
            catch (StoreException error)
            {
                Assert.True(error.Error is StoreError.Corrupt or StoreError.NewerFormat && i < last + 8, $"byte {i}: {error.Message}");
            }
        }
        int second = StateFile.Decode(Appended(1)).Length;
        Assert.Throws<StoreException>(() => StateFile.Decode([.. file[..first], .. file[second..]]));
    }

    [Fact]
    public async Task After_a_torn_commit_everything_is_written_anew()
    {
        byte[] file = Appended(2);
        File.WriteAllBytes(FilePath, file[..^1]);
        await using FileStore store = FileStore.Open(FilePath);
        await store.CommitAsync(Small(7), default);
        StateFileContent content = StateFile.Decode(File.ReadAllBytes(FilePath));
        Assert.Equal((3, false, content.RecordsLength), (content.Revision, content.Torn, content.Length));
    }

    [Fact]
    public async Task A_file_of_the_first_format_is_kept_aside_and_written_anew()
    {
        byte[] old = FirstFormat();
        Frozen.Equal("549f72f1ecd573cac6ad81094d40352b5886c0779095b5fe4534434bf112e44c", old);
        for (int operations = 0; ; operations++)
        {
            var disk = new SimulatedDisk();
            disk.Put(DataPath, old);
            FileStore store = FileStore.Open(DataPath, disk);
            Assert.Equal(2, (await store.ReadAllAsync(default)).Count);
            disk.OperationsLeft = operations;
            bool crashed = false;
            try
            {
                await store.CommitAsync(Small(1), default);
            }
            catch (SimulatedDisk.CrashException)
            {
                crashed = true;
            }
            foreach (SimulatedDisk left in disk.AfterCrash())
            {
                bool migrated = await FileStore.Open(DataPath, left).GetAsync("n", default) is not null;
                Assert.True(migrated || crashed);
                byte[]? aside = left.Read(DataPath + ".v1", long.MaxValue);
                Assert.True(!migrated || old.AsSpan().SequenceEqual(aside));
            }
            if (!crashed)
                break;
        }
        Assert.Throws<StoreException>(() => StateFile.Decode([.. old, 0]));
    }

    [Fact]
    public void The_format_is_frozen() => Frozen.Equal("1807f0b63fd8b624f58cb4c4b92c7bcc2f485304475645915e4176482c96e9f9", Appended(3));

    [Fact]
    public void Mutated_files_are_read_back_or_refused()
    {
        byte[] records = StateFile.Encode(7, Records(("a", 1), ("b", 7), ("c", 3))), appended = Appended(3);
        Mutations.Drive(records, StateFile.Fuzz);
        Mutations.Drive(appended, StateFile.Fuzz);
        Mutations.Drive(FirstFormat(), StateFile.Fuzz);
        // With a right checksum, so that the fields behind it are reached.
        int end = records.AsSpan().LastIndexOfAnyExcept((byte)0) + 1 - 32;
        Mutations.Drive(records[..end], body => StateFile.Fuzz(Aligned([.. body, .. SHA256.HashData(body)])));
        int first = StateFile.Decode(Appended(0)).Length;
        ReadOnlyMemory<byte> digest = StateFile.Decode(Appended(0)).Digest;
        Mutations.Drive(appended[(first + 8)..(first + 8 + BitConverter.ToInt32(appended, first))], body => StateFile.Fuzz(
            Aligned([.. appended[..first], .. BitConverter.GetBytes(body.Length), .. BitConverter.GetBytes(~body.Length), .. body, .. SHA256.HashData([.. digest.Span, .. body])])));
    }

    private static async Task<(SimulatedDisk Disk, FileStore Store)> AppendingAsync()
    {
        var disk = new SimulatedDisk();
        FileStore store = FileStore.Open(DataPath, disk);
        await store.CommitAsync(Large(), default);
        return (disk, store);
    }

    private static StoreTransaction Large() => new StoreTransaction().Put("large", RandomNumberGenerator.GetBytes(10_000));

    private static StoreTransaction Small(int n) => new StoreTransaction().Put("n", new[] { (byte)n });

    private static byte[] Appended(int commits)
    {
        byte[] file = StateFile.Encode(1, Records(("a", 1), ("b:ü", 1)), out byte[] digest);
        for (int i = 0; i < commits; i++)
        {
            (byte[] bytes, digest) = StateFileCommit.Encode(2 + i, new StoreTransaction().Put("n", new byte[i]).Put("b:ü", new byte[] { 1 }).Writes, digest);
            file = [.. file, .. bytes];
        }
        return file;
    }

    // As the program before this one wrote it.
    private static byte[] FirstFormat()
    {
        byte[] records = StateFile.Encode(7, Records(("a", 1), ("b:ü", 7)));
        int end = records.AsSpan().LastIndexOfAnyExcept((byte)0) + 1 - 32;
        records[8] = 1;
        return [.. records[..end], .. SHA256.HashData(records.AsSpan(0, end))];
    }

    private static byte[] Aligned(byte[] bytes) => [.. bytes, .. new byte[-bytes.Length & 7]];

    private static ImmutableSortedDictionary<string, StoreRecord> Records(params (string Key, long Version)[] records) =>
        records.ToImmutableSortedDictionary(record => record.Key, record => new StoreRecord(new byte[] { 1, 2, 3 }, record.Version), StringComparer.Ordinal);
}
