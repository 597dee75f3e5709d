using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Images;
using Cloister.Images.Build;
using Cloister.Images.Definition;
using Cloister.Images.Sources;
using static Cloister.Tests.TestArchive;

namespace Cloister.Tests;

public sealed class ContainerArchiveTests
{
    private static readonly JsonObject Config = new()
    {
        ["Entrypoint"] = new JsonArray("server"),
        ["Cmd"] = new JsonArray("--port", "80"),
        ["Env"] = new JsonArray("PATH=/opt:/usr/bin", "A=b=c"),
        ["WorkingDir"] = "/srv",
        ["User"] = "web",
        ["ExposedPorts"] = new JsonObject { ["8080/tcp"] = new JsonObject(), ["53/udp"] = new JsonObject() },
        ["Volumes"] = new JsonObject { ["/var/lib/web"] = new JsonObject() },
    };

    private static readonly byte[][] Layers =
    [
        Tar(Folder("etc/"), File("etc/passwd", "root:x:0:0::/:\nweb:x:101:101::/:\n"), File("etc/old", "old"), Folder("data/"), File("data/one", "1"), File("data/two", "2"), Folder("opt"), File("opt/server", "elf", (UnixFileMode)0xFED), Link("lib", "usr/lib"), File("usr/lib/x", "x")),
        Tar(File("etc/.wh.old", ""), File("data/three", "3"), File("data/.wh..wh..opq", ""), Link("opt/again", "opt/server", TarEntryType.HardLink), Link("opt/link", "/etc/passwd"), File("lib/y", "y")),
    ];

    public static TheoryData<bool> Kinds() => [true, false];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Layers_lie_over_one_another(bool layout)
    {
        using var folder = new TemporaryFolder();
        RootTree tree = await UnpackAsync(folder, layout ? Layout(Config, Layers) : Saved(Config, Layers));
        Assert.Equal(
            ["/data", "/data/three", "/etc", "/etc/passwd", "/lib", "/opt", "/opt/again", "/opt/link", "/opt/server", "/usr", "/usr/lib", "/usr/lib/x", "/usr/lib/y"],
            tree.All().Select(one => one.Path));
        // Set-user-ID is nothing to programs that can gain no rights, and is not kept.
        Assert.Equal(0x1ED, Assert.IsType<RootFile>(tree.Find("/opt/again")).Mode);
        Assert.IsType<RootFile>(tree.Find("/opt/link"));
    }

    [Fact]
    public async Task An_archive_says_how_it_is_started()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("web.tar", Layout(Config, Layers));
        ImportedSource source = await ImportedSource.ReadAsync(path, [], default);
        Assert.Equal("/opt/server --port 80", string.Join(' ', source.Entry.Command));
        Assert.Equal(("/srv", 101, "b=c"), (source.Entry.Directory, source.Entry.User, source.Entry.Environment["A"]));
        Assert.Equal(8080, Assert.Single(source.Ports));
        Assert.Equal("/var/lib/web", Assert.Single(source.Volumes));
        Assert.Contains($"archive: {path}", NewDefinition.Write("web", source), StringComparison.Ordinal);

        ImportedSource other = await ImportedSource.ReadAsync(folder.Write("plain.tar", Saved(new JsonObject { ["Cmd"] = new JsonArray("/opt/server") }, Layers)), [], default);
        Assert.Equal(1000, other.Entry.User);
        Assert.Contains("root", Assert.Single(other.Notes), StringComparison.Ordinal);
        Assert.Equal(ImageError.ProgramMissing, (await Assert.ThrowsAsync<ImageException>(() => ImportedSource.ReadAsync(folder.Write("none.tar", Saved(null, Layers)), [], default))).Error);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("/etc/x")]
    [InlineData("a\u0001b")]
    public async Task A_path_that_leads_out_is_refused(string name) =>
        Assert.Equal(ImageError.SourceRefused, (await RefusedAsync(Saved(null, Tar(File(name, "x"))))).Error);

    [Fact]
    public async Task What_is_no_file_is_refused()
    {
        Assert.Equal(ImageError.SourceRefused, (await RefusedAsync(Saved(null, Tar(new PaxTarEntry(TarEntryType.CharacterDevice, "mem") { DeviceMajor = 1, DeviceMinor = 1 })))).Error);
        Assert.Equal(ImageError.SourceRefused, (await RefusedAsync(Saved(null, Tar(Link("x", "../../etc/shadow", TarEntryType.HardLink))))).Error);
        Assert.Equal(ImageError.SourceRefused, (await RefusedAsync(Saved(null, Tar(Link("x", "absent", TarEntryType.HardLink))))).Error);
        // Devices of /dev belong to containers that were exported from a running one; the machine makes its own.
        using var folder = new TemporaryFolder();
        Assert.Empty((await UnpackAsync(folder, Saved(null, Tar(new PaxTarEntry(TarEntryType.CharacterDevice, "dev/null") { DeviceMajor = 1, DeviceMinor = 3 })))).All());
    }

    [Fact]
    public async Task Links_out_lead_nowhere_else()
    {
        using var folder = new TemporaryFolder();
        RootTree tree = await UnpackAsync(folder, Saved(null, Tar(Link("out", "/../../.."), File("out/evil", "x"))));
        Assert.Equal(["/evil", "/out"], tree.All().Select(one => one.Path));
    }

    [Fact]
    public async Task Digests_that_differ_are_refused()
    {
        byte[] layout = Layout(Config, Layers);
        foreach (byte[] named in new[] { Gzip(Layers[0]) })
        {
            byte[] changed = (byte[])layout.Clone();
            changed[changed.AsSpan().IndexOf(named) + 20] ^= 1;
            Assert.Equal(ImageError.ArchiveInvalid, (await RefusedAsync(changed)).Error);
        }
        byte[] saved = Saved(Config, Layers);
        saved[saved.AsSpan().IndexOf("root:x:0"u8)] ^= 1;
        Assert.Contains("content is not the stated", (await RefusedAsync(saved)).Message, StringComparison.Ordinal);
        byte[] config = Saved(Config, Layers);
        config[config.AsSpan().IndexOf("\"Entrypoint\""u8) + 1] ^= 1;
        Assert.Contains("digest is another", (await RefusedAsync(config)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_says_why()
    {
        byte[] zstd = [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0];
        Assert.Contains("zstd", (await RefusedAsync(Saved(null, zstd))).Message, StringComparison.Ordinal);
        Assert.Contains("no container image", (await RefusedAsync(Tar(File("x", "x")))).Message, StringComparison.Ordinal);
        Assert.Equal(ImageError.ArchiveInvalid, (await RefusedAsync(Encoding.UTF8.GetBytes(new string('x', 3000)))).Error);
        Assert.Equal(ImageError.ArchiveInvalid, (await RefusedAsync(Tar(File("manifest.json", """[{"Config":"../../etc/passwd","Layers":[]}]""")))).Error);
        Assert.Equal(ImageError.ArchiveInvalid, (await RefusedAsync(Tar(File("index.json", """{"manifests":[{"digest":"sha256:../../x"}]}""")))).Error);
        Assert.Equal(ImageError.ArchiveInvalid, (await RefusedAsync(Tar(File("manifest.json", "[]"), File("manifest.json", "[]")))).Error);
    }

    [Fact]
    public async Task A_bomb_is_refused_before_it_is_written()
    {
        using var folder = new TemporaryFolder();
        await using var contents = new ContentStore(folder.Path, 1 << 20);
        byte[] bomb = Layout(null, Tar(Raw("zeros", new byte[8 << 20])));
        Assert.True(bomb.Length < 1 << 20);
        using var tar = new MemoryStream(bomb);
        ContainerArchive archive = await ContainerArchive.OpenAsync(tar, "bomb.tar", default);
        Assert.Equal(ImageError.SourceTooLarge, (await Assert.ThrowsAsync<ImageException>(() => archive.PutIntoAsync(new RootTree(), contents, "/", null, default))).Error);
    }

    [Fact]
    public async Task Hostile_bytes_give_an_archive_or_a_refusal()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(11);
        foreach (byte[] valid in new[] { Layout(Config, Layers), Saved(Config, Layers) })
            for (int round = 0; round < 300; round++)
            {
                byte[] mutated = (byte[])valid.Clone();
                for (int change = random.Next(1, 6); change > 0; change--)
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                await ContainerArchive.FuzzAsync(mutated[..(random.Next(6) == 0 ? random.Next(mutated.Length) : mutated.Length)], folder.Path);
            }
    }

    private static async Task<ImageException> RefusedAsync(byte[] archive)
    {
        using var folder = new TemporaryFolder();
        return await Assert.ThrowsAsync<ImageException>(() => UnpackAsync(folder, archive));
    }

    private static async Task<RootTree> UnpackAsync(TemporaryFolder folder, byte[] bytes)
    {
        await using var contents = new ContentStore(folder.Path);
        using var tar = new MemoryStream(bytes);
        var tree = new RootTree();
        await (await ContainerArchive.OpenAsync(tar, "test.tar", default)).PutIntoAsync(tree, contents, "/", null, default);
        return tree;
    }
}
