using System.Net.Sockets;
using Cloister.Images;
using Cloister.Images.Build;
using Cloister.Images.Sources;

namespace Cloister.Tests;

public sealed class DirectorySourceTests
{
    [Fact]
    public async Task Modes_and_links_are_kept_and_the_digest_covers_them()
    {
        using TemporaryFolder one = Make(), other = Make();
        string digest = (await ReadAsync(one)).Sha256;
        Assert.Equal(digest, (await ReadAsync(other)).Sha256);
        Assert.Equal(["", "a", "a/run", "link"], (await ReadAsync(one)).Items.Select(item => item.Path));
        File.SetUnixFileMode(other["root/a/run"], UnixFileMode.UserRead);
        Assert.NotEqual(digest, (await ReadAsync(other)).Sha256);
        // Of published programs only the right to execute counts.
        Assert.Equal([0x1ED, 0x1ED, 0x1ED, 0x1FF], (await ReadAsync(one, plainModes: true)).Items.Select(item => item.Mode));
        one.Write("root/a/run", "other");
        Assert.NotEqual(digest, (await ReadAsync(one)).Sha256);
    }

    [Fact]
    public async Task A_socket_is_refused_with_its_path_and_what_is_absent_too()
    {
        using TemporaryFolder folder = Make();
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(folder["root/socket"]));
            ImageException refused = await Assert.ThrowsAsync<ImageException>(() => ReadAsync(folder));
            Assert.Equal(ImageError.SourceRefused, refused.Error);
            Assert.Contains("root/socket", refused.Message, StringComparison.Ordinal);
        }
        await using var contents = new ContentStore(folder.Path);
        Assert.Equal(ImageError.SourceUnreadable, (await Assert.ThrowsAsync<ImageException>(() => DirectorySource.ReadAsync(folder["absent"], contents, false, null, default))).Error);
    }

    private static TemporaryFolder Make()
    {
        var folder = new TemporaryFolder();
        folder.Write("root/a/run", "run", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(folder["root/link"], "/nowhere");
        return folder;
    }

    private static async Task<SourceList> ReadAsync(TemporaryFolder folder, bool plainModes = false)
    {
        await using var contents = new ContentStore(folder.Path);
        return await DirectorySource.ReadAsync(folder["root"], contents, plainModes, null, default);
    }
}
