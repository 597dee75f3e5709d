using Cloister.Images;
using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

/// <summary>A folder, a disk of 1 MiB and a counter.</summary>
internal sealed class DiskScene : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("cloister-disk-").FullName;
    private int _folders;

    public static DiskLayout Layout { get; } = new(1);

    public static DiskIdentity Identity { get; } = new("data", 7, "database", null);

    public static byte[] Key { get; } = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    public MemoryDisk Disk { get; set; } = new(Layout);

    public MemoryCounter Counter { get; } = new();

    public string NewFolder() => Directory.CreateDirectory(Path.Combine(_top, $"{_folders++}")).FullName;

    public Task<SealedDisk> OpenAsync(string folder, IBlockDevice? disk = null, DiskIdentity? identity = null, byte[]? key = null, IDiskCounter? counter = null) =>
        SealedDisk.OpenAsync(disk ?? Disk, Layout, identity ?? Identity, key ?? Key, counter ?? Counter, folder);

    /// <summary>Commits a text after each other, and gives back the last version.</summary>
    public async Task CommitAsync(params string[] texts)
    {
        string folder = NewFolder();
        using SealedDisk disk = await OpenAsync(folder);
        foreach (string text in texts)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "text"), text);
            await disk.CommitAsync(folder);
        }
    }

    /// <summary>The text that opens.</summary>
    public async Task<string?> ReadAsync(IBlockDevice? disk = null)
    {
        string folder = NewFolder();
        using SealedDisk opened = await OpenAsync(folder, disk);
        string file = Path.Combine(folder, "text");
        return File.Exists(file) ? await File.ReadAllTextAsync(file) : null;
    }

    /// <summary>Opens a disk that has to be refused, and sees that nothing of it was left in the folder.</summary>
    public async Task<ImageError> RefusedAsync(IBlockDevice? disk = null, DiskIdentity? identity = null, byte[]? key = null, IDiskCounter? counter = null)
    {
        string folder = NewFolder();
        var refused = await Assert.ThrowsAsync<ImageException>(() => OpenAsync(folder, disk, identity, key, counter));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        Assert.InRange((int)refused.Error, 500, 549);
        return refused.Error;
    }

    public void Dispose() => Directory.Delete(_top, recursive: true);
}
