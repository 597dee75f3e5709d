using Cloister.Coordinator.Stores;
using Cloister.Platform;

namespace Cloister.Coordinator.Tests.Stores;

public sealed class SealFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cloister-seal-").FullName;

    private string Seal => Path.Combine(_root, "seal");

    private HostKeySealer Sealer => new(Path.Combine(_root, "host"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_folder_opens_again_with_what_it_held()
    {
        await WriteAsync();
        await using OpenedSealFolder again = await SealFolder.OpenAsync(Seal, Sealer, default);
        Assert.Null(again.RecoveryReason);
        Assert.NotNull(await again.Store!.GetAsync("a", default));
    }

    [Fact]
    public async Task A_lost_key_leads_to_recovery_and_overwrites_nothing()
    {
        await WriteAsync();
        File.Delete(Path.Combine(Seal, SealFolder.KeyName));
        await AssertRecoveryAsync();
        Assert.False(File.Exists(Path.Combine(Seal, SealFolder.KeyName)));
    }

    [Fact]
    public async Task A_foreign_or_damaged_key_leads_to_recovery_and_overwrites_nothing()
    {
        await WriteAsync();
        string path = Path.Combine(Seal, SealFolder.KeyName);
        byte[] own = File.ReadAllBytes(path);
        string other = Path.Combine(_root, "other");
        await using (await SealFolder.OpenAsync(other, Sealer, default))
            File.Copy(Path.Combine(other, SealFolder.KeyName), path, overwrite: true);
        await AssertRecoveryAsync();
        own[^1] ^= 1;
        File.WriteAllBytes(path, own);
        await AssertRecoveryAsync();
        File.WriteAllBytes(path, "no key"u8.ToArray());
        await AssertRecoveryAsync();
    }

    [Fact]
    public async Task Another_host_leads_to_recovery_and_overwrites_nothing()
    {
        await WriteAsync();
        Directory.Delete(Path.Combine(_root, "host"), recursive: true);
        await AssertRecoveryAsync();
        Assert.False(File.Exists(Path.Combine(_root, "host", HostKeySealer.FileName)));
    }

    [Fact]
    public async Task A_key_file_of_a_newer_program_is_refused_as_such()
    {
        await WriteAsync();
        string path = Path.Combine(Seal, SealFolder.KeyName);
        byte[] key = File.ReadAllBytes(path);
        key[8] = 9;
        File.WriteAllBytes(path, key);
        Assert.Equal(StoreError.NewerFormat, (await Assert.ThrowsAsync<StoreException>(() => SealFolder.OpenAsync(Seal, Sealer, default))).Error);
        key[8] = 1;
        File.WriteAllBytes(path, key);
        await using OpenedSealFolder again = await SealFolder.OpenAsync(Seal, Sealer, default);
        Assert.NotNull(again.Store);
    }

    [Fact]
    public async Task A_crash_while_the_key_is_made_leaves_a_folder_that_opens()
    {
        for (int operations = 0; operations < 12; operations++)
        {
            var disk = new SimulatedDisk { OperationsLeft = operations };
            try
            {
                OpenedSealFolder folder = await SealFolder.OpenAsync("/seal", FileStore.Open("/seal/sealed_data", disk), Sealer, disk, default);
                await folder.Store!.CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }), default);
            }
            catch (SimulatedDisk.CrashException)
            {
                Assert.True(operations < 10);
            }
            foreach (SimulatedDisk left in disk.AfterCrash())
            {
                OpenedSealFolder again = await SealFolder.OpenAsync("/seal", FileStore.Open("/seal/sealed_data", left), Sealer, left, default);
                Assert.True(again.RecoveryReason is null, $"after {operations} operations: {again.RecoveryReason}");
            }
        }
    }

    private async Task WriteAsync()
    {
        await using OpenedSealFolder folder = await SealFolder.OpenAsync(Seal, Sealer, default);
        await folder.Store!.CommitAsync(new StoreTransaction().Put("a", new byte[] { 1 }), default);
    }

    private async Task AssertRecoveryAsync()
    {
        byte[] before = File.ReadAllBytes(Path.Combine(Seal, SealFolder.DataName));
        await using (OpenedSealFolder folder = await SealFolder.OpenAsync(Seal, Sealer, default))
        {
            Assert.NotNull(folder.RecoveryReason);
            Assert.Null(folder.Store);
        }
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Seal, SealFolder.DataName)));
    }
}
