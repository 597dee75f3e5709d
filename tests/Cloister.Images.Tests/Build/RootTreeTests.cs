using System.Text;
using Cloister.Images;
using Cloister.Images.Build;

namespace Cloister.Tests;

public sealed class RootTreeTests
{
    private static readonly FileContent Nothing = new(0, 0, "");

    [Fact]
    public void Paths_are_resolved_inside_the_root_alone()
    {
        var tree = new RootTree();
        tree.PutFolder("/usr/bin", 0x1ED);
        tree.PutLink("/bin", "usr/bin");
        tree.PutLink("/up", "../../../..");
        tree.PutLink("/abs", "/usr/../usr/bin/");
        tree.PutFile("/bin/sh", 0x1ED, Nothing);
        tree.PutFile("/up/etc/passwd", 0x1A4, Nothing);
        tree.PutFile("/abs/true", 0x1ED, Nothing);
        Assert.Equal(["/abs", "/bin", "/etc", "/etc/passwd", "/up", "/usr", "/usr/bin", "/usr/bin/sh", "/usr/bin/true"], tree.All().Select(one => one.Path));
        Assert.IsType<RootFile>(tree.Find("/up/up/bin/sh"));
        Assert.Null(tree.Find("/bin/sh/x"));
    }

    [Fact]
    public void Links_in_a_ring_lead_nowhere()
    {
        var tree = new RootTree();
        tree.PutLink("/a", "b");
        tree.PutLink("/b", "/a");
        Assert.Null(tree.Find("/a/x"));
        Assert.Equal(ImageError.SourceRefused, Assert.Throws<ImageException>(() => tree.PutFile("/a/x", 0x1A4, Nothing)).Error);
    }

    [Fact]
    public void What_clashes_is_refused()
    {
        var tree = new RootTree();
        tree.PutFile("/etc/hosts", 0x1A4, Nothing);
        Assert.Throws<ImageException>(() => tree.PutFile("/etc", 0x1A4, Nothing));
        Assert.Throws<ImageException>(() => tree.PutFolder("/etc/hosts", 0x1ED));
        Assert.Throws<ImageException>(() => tree.PutFile("/etc/hosts/x", 0x1A4, Nothing));
        Assert.Throws<ImageException>(() => tree.PutFile("/etc/../x", 0x1A4, Nothing));
        Assert.Throws<ImageException>(() => tree.PutFile("/" + new string('n', 256), 0x1A4, Nothing));
        Assert.Throws<ImageException>(() => tree.PutHardLink("/x", "/absent"));
        Assert.Throws<ImageException>(() => tree.PutFile("/" + string.Join('/', Enumerable.Repeat("d", RootTree.MaximumDepth + 1)), 0x1A4, Nothing));
    }

    [Fact]
    public async Task Equal_contents_are_kept_once_and_a_cap_holds()
    {
        using var folder = new TemporaryFolder();
        await using var contents = new ContentStore(folder.Path, maximum: 10);
        FileContent one = await contents.AddAsync(Encoding.UTF8.GetBytes("12345"), default), other = await contents.AddAsync(Encoding.UTF8.GetBytes("12345"), default);
        Assert.Same(one, other);
        Assert.Equal("12345"u8.ToArray(), await contents.ReadAsync(await contents.AddAsync("12345"u8.ToArray(), default), 5, default));
        Assert.Equal(ImageError.SourceTooLarge, (await Assert.ThrowsAsync<ImageException>(() => contents.AddAsync("abcdef"u8.ToArray(), default))).Error);
    }
}
