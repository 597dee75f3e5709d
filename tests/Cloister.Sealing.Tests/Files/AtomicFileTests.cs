using System.Runtime.Versioning;

namespace Cloister.Sealing.Tests.Files;

public class AtomicFileTests
{
    [Fact]
    public async Task ReplacesAndLeavesNothingElse()
    {
        using var folder = new TemporaryFolder();
        await AtomicFile.WriteAsync(folder.File("state"), "one"u8.ToArray());
        await AtomicFile.WriteAsync(folder.File("state"), "two"u8.ToArray());
        Assert.Equal("two", await File.ReadAllTextAsync(folder.File("state")));
        Assert.Equal(["state"], folder.Names());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("state")));
    }

    [Fact]
    public async Task FailuresKeepTheOldFile()
    {
        using var folder = new TemporaryFolder();
        await AtomicFile.WriteAsync(folder.File("state"), "old"u8.ToArray());
        await Assert.ThrowsAsync<InvalidOperationException>(() => AtomicFile.WriteAsync(folder.File("state"), async (stream, token) =>
        {
            await stream.WriteAsync("half"u8.ToArray(), token);
            throw new InvalidOperationException();
        }, UnixFileMode.UserRead));
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(folder.File("state"), async (stream, _) => await stop.CancelAsync(), UnixFileMode.UserRead, stop.Token));
        Assert.Equal("old", await File.ReadAllTextAsync(folder.File("state")));
        Assert.Equal(["state"], folder.Names());
        await Assert.ThrowsAnyAsync<IOException>(() => AtomicFile.WriteAsync(folder.File("absent/state"), "x"u8.ToArray()));
        Assert.Throws<IOException>(() => AtomicFile.FlushFolder(folder.File("absent")));
    }

    [Fact]
    public async Task WritersBesideEachOtherLeaveOneWholeContent()
    {
        using var folder = new TemporaryFolder();
        byte[][] contents = [.. Enumerable.Range(0, 8).Select(i => Enumerable.Repeat((byte)i, 50_000).ToArray())];
        await Task.WhenAll(contents.Select(content => AtomicFile.WriteAsync(folder.File("state"), content)));
        byte[] left = await File.ReadAllBytesAsync(folder.File("state"));
        Assert.Equal(50_000, left.Length);
        Assert.Single(left.Distinct());
        Assert.Equal(["state"], folder.Names());
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task ASymbolicLinkIsReplacedNotFollowed()
    {
        if (OperatingSystem.IsWindows())
            return; // links need a privilege there
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("elsewhere"), "untouched");
        File.CreateSymbolicLink(folder.File("state"), folder.File("elsewhere"));
        await AtomicFile.WriteAsync(folder.File("state"), "new"u8.ToArray());
        Assert.Equal("untouched", await File.ReadAllTextAsync(folder.File("elsewhere")));
        Assert.Null(new FileInfo(folder.File("state")).LinkTarget);
    }

    [Fact]
    public async Task Of_many_that_create_a_file_at_once_one_succeeds_and_its_bytes_stay()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-test-").FullName;
        try
        {
            string path = Path.Combine(folder, "once");
            bool[] made = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => AtomicFile.TryCreate(path, [(byte)i, (byte)i]))));
            byte[] bytes = await File.ReadAllBytesAsync(path);
            Assert.Single(made, true);
            Assert.Equal([bytes[0], bytes[0]], bytes);
            Assert.True(made[bytes[0]]);
            Assert.Equal([path], Directory.EnumerateFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
