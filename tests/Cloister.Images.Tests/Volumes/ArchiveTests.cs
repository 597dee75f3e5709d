using Cloister.Images;
using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

public sealed class ArchiveTests : IDisposable
{
    private static readonly DiskLayout s_layout = new(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-archive-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_comes_back_as_it_was_written()
    {
        string from = Folder("from"), to = Folder("to");
        Directory.CreateDirectory(Path.Combine(from, "deep/deeper"));
        File.WriteAllText(Path.Combine(from, "deep/deeper/file"), "text");
        File.SetUnixFileMode(Path.Combine(from, "deep"), (UnixFileMode)0b101_000_001);
        File.WriteAllBytes(Path.Combine(from, "empty"), []);
        File.WriteAllBytes(Path.Combine(from, "large"), [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))]);
        File.SetUnixFileMode(Path.Combine(from, "large"), (UnixFileMode)0b100_100_000);
        File.SetLastWriteTimeUtc(Path.Combine(from, "large"), new DateTime(1969, 5, 1, 2, 3, 4, 567, DateTimeKind.Utc));
        File.CreateSymbolicLink(Path.Combine(from, "link"), "/etc/passwd");
        File.CreateSymbolicLink(Path.Combine(from, "nowhere"), "nothing there");

        byte[] archive = Write(from);
        Read(archive, to);

        Assert.Equal(archive, Write(to));
        Assert.Equal("text", File.ReadAllText(Path.Combine(to, "deep/deeper/file")));
        Assert.Equal((UnixFileMode)0b100_100_000, File.GetUnixFileMode(Path.Combine(to, "large")));
        Assert.Equal(File.ReadAllBytes(Path.Combine(from, "large")), File.ReadAllBytes(Path.Combine(to, "large")));
        Assert.Equal(new DateTime(1969, 5, 1, 2, 3, 4, 567, DateTimeKind.Utc), File.GetLastWriteTimeUtc(Path.Combine(to, "large")));
        Assert.Equal("/etc/passwd", new FileInfo(Path.Combine(to, "link")).LinkTarget);
    }

    [Fact]
    public void Files_with_several_names_stay_one_file()
    {
        string from = Folder("from"), to = Folder("to");
        // Made by the reader itself: the framework has no call for it.
        Read(Archive().Folder("a").File("first", "one", kind: 4).End().Folder("b").Further("second", 0).End().File("c", "two", kind: 4).Further("d", 1).Further("e", 0).End().Done(), from);
        byte[] archive = Write(from);
        Read(archive, to);
        File.AppendAllText(Path.Combine(to, "a/first"), " more");
        Assert.Equal("one more", File.ReadAllText(Path.Combine(to, "b/second")));
        Assert.Equal("one more", File.ReadAllText(Path.Combine(to, "e")));
        Assert.Equal("two", File.ReadAllText(Path.Combine(to, "d")));
    }

    [Fact]
    public void Holes_stay_holes_and_take_no_room()
    {
        string from = Folder("from"), to = Folder("to");
        using (FileStream file = File.Create(Path.Combine(from, "sparse")))
        {
            file.SetLength(1L << 36);
            file.Position = 1L << 35;
            file.Write("in the middle"u8);
        }
        byte[] archive = Write(from);
        Assert.InRange(archive.Length, 13, 70_000);
        Read(archive, to);
        using FileStream read = File.OpenRead(Path.Combine(to, "sparse"));
        Assert.Equal(1L << 36, read.Length);
        read.Position = 1L << 35;
        byte[] middle = new byte[13];
        read.ReadExactly(middle);
        Assert.Equal("in the middle"u8, middle);
    }

    [Fact]
    public void It_is_written_by_the_letter_of_its_document()
    {
        string to = Folder("to");
        // With a name that is no UTF-8 at its end.
        byte[] bytes = Archive().File("A", "text").Folder("b").File("c", "").Link("d", "../../etc").End().File("e", "x", kind: 4).Further("f", 0).Raw(5, 2, 0xff, 0xfe).Number(0, 4).End().Done();
        Read(bytes, to);
        Assert.Equal(bytes, Write(to));
        using var open = FolderCalls.OpenFolder(to);
        FolderCalls.Remove(open, [0xff, 0xfe], isFolder: false); // the framework cannot name it
    }

    [Fact]
    public void Set_id_bits_and_pipes_are_left_out()
    {
        string from = Folder("from");
        File.WriteAllText(Path.Combine(from, "file"), "");
        File.SetUnixFileMode(Path.Combine(from, "file"), (UnixFileMode)0b111_111_101_101);
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(from, "socket")));
        var builder = new RecordingBuilder();
        ArchiveReader.Read(new MemoryStream(Write(from)), builder, s_layout, default);
        Assert.Equal(1, builder.Entries);
    }

    public static TheoryData<string> Hostile => [.. s_hostile.Keys];

    private static readonly Dictionary<string, Func<ArchiveBytes, ArchiveBytes>> s_hostile = new(StringComparer.Ordinal)
    {
        ["a name that leads up"] = a => a.File("..", "x").End(),
        ["the folder itself"] = a => a.Folder(".").End().End(),
        ["a path"] = a => a.File("a/b", "x").End(),
        ["an absolute path"] = a => a.File("/etc/passwd", "x").End(),
        ["no name"] = a => a.File("", "x").End(),
        ["a zero in a name"] = a => a.File("a\0b", "x").End(),
        ["names out of order"] = a => a.File("b", "x").File("a", "x").End(),
        ["a name twice"] = a => a.File("a", "x").File("a", "y").End(),
        ["a folder over a link"] = a => a.Link("a", "/tmp").Folder("a").File("b", "x").End().End(),
        ["a file over a link"] = a => a.Link("a", "/etc/passwd").File("a", "x").End(),
        ["a link to nothing"] = a => a.Link("a", "").End(),
        ["a link with a zero"] = a => a.Link("a", "b\0c").End(),
        ["a link with rights"] = a => a.Link("a", "b", mode: 0b111_111_111).End(),
        ["a link that is too long"] = a => a.Link("a", new string('x', 4096)).End(),
        ["set-user"] = a => a.File("a", "x", mode: 0b100_111_101_101).End(),
        ["set-group"] = a => a.Folder("a", mode: 0b010_111_101_101).End().End(),
        ["an unknown kind"] = a => a.File("a", "x", kind: 6).End(),
        ["a name of no file"] = a => a.File("a", "x", kind: 4).Further("b", 1).End(),
        ["a name of a file with one"] = a => a.File("a", "x").Further("b", 0).End(),
        ["nothing"] = a => a,
        ["no end"] = a => a.File("a", "x"),
        ["no end of a folder"] = a => a.Folder("a").End(),
        ["an end too many"] = a => a.End().End(),
        ["bytes behind the end"] = a => a.End().Raw("x"),
        ["nested too deeply"] = a => Enumerable.Range(0, 65).Aggregate(a, (x, _) => x.Folder("a")),
        ["a negative length"] = a => a.Name(2, "a").Attributes(0, 0).Number(-1, 8).Number(0, 4).End(),
        ["a length beyond all disks"] = a => a.Name(2, "a").Attributes(0, 0).Number((1L << 40) + 1, 8).Number(0, 4).End(),
        ["a part behind the end"] = a => a.Name(2, "a").Attributes(0, 0).Number(3, 8).Number(2, 4).Number(2, 8).Raw("xy").Number(0, 4).End(),
        ["a part at a negative place"] = a => a.Name(2, "a").Attributes(0, 0).Number(3, 8).Number(2, 4).Number(-1, 8).Raw("xy").Number(0, 4).End(),
        ["parts that overlap"] = a => a.Name(2, "a").Attributes(0, 0).Number(3, 8).Number(2, 4).Number(0, 8).Raw("xy").Number(1, 4).Number(1, 8).Raw("z").Number(0, 4).End(),
        ["a part that is too large"] = a => a.Name(2, "a").Attributes(0, 0).Number(1 << 20, 8).Number(65_537, 4).Number(0, 8).Raw(new byte[65_537]).Number(0, 4).End(),
        ["more than it may hold"] = a => Enumerable.Range(0, 20).Aggregate(a.Name(2, "a").Attributes(0, 0).Number(2 << 20, 8),
            (x, i) => x.Number(65_536, 4).Number(i * 65_536, 8).Raw(new byte[65_536])).Number(0, 4).End(),
        ["too many entries"] = a => Enumerable.Range(0, 257).Aggregate(a, (x, i) => x.Folder($"{i:D4}").End()).End(),
        ["nobody's user"] = a => a.Name(2, "a").Number(0, 2).Number(0xffffffff, 4).Number(0, 4).Number(0, 8).Number(0, 8).Number(0, 4).End(),
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_archive_is_refused(string which)
    {
        byte[] bytes = s_hostile[which](Archive()).Done();
        Assert.Equal(ImageError.DiskContent, Assert.Throws<ImageException>(() => ArchiveReader.Read(new MemoryStream(bytes), new RecordingBuilder(), s_layout, default)).Error);
    }

    [Fact]
    public void Whatever_follows_a_link_stays_in_the_folder()
    {
        // A link is made as it is; nothing of the same archive is made through it.
        string outside = Folder("outside"), to = Folder("to");
        Read(Archive().Link("a", outside).Folder("b").File("c", "x").End().End().Done(), to);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        // And the writer does not look through it either.
        File.WriteAllText(Path.Combine(outside, "secret"), "");
        var builder = new RecordingBuilder();
        ArchiveReader.Read(new MemoryStream(Write(to)), builder, s_layout, default);
        Assert.Equal(3, builder.Entries);
    }

    [Fact]
    public void Any_bytes_are_an_archive_or_refused()
    {
        byte[] valid = Archive().File("A", "text").Folder("b").File("c", "").Link("d", "e").End().File("e", "x", kind: 4).Further("f", 0).End().Done();
        var random = new Random(20261122);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] mutated = [.. valid];
            for (int change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(mutated.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(mutated[random.Next(mutated.Length)] ^ (1 << random.Next(8)));
            ArchiveReader.Fuzz(random.Next(4) == 0 ? mutated.AsSpan(0, random.Next(mutated.Length)) : mutated, new RecordingBuilder());
        }
    }

    private static ArchiveBytes Archive()
    {
        using var probe = FolderCalls.OpenFolder("/proc/self");
        EntryStatus self = FolderCalls.Status(probe);
        return new ArchiveBytes { User = self.User, Group = self.Group };
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private static byte[] Write(string folder)
    {
        var bytes = new MemoryStream();
        ArchiveWriter.Write(folder, bytes, s_layout, default);
        return bytes.ToArray();
    }

    private static void Read(byte[] archive, string folder)
    {
        using FolderBuilder builder = FolderBuilder.Open(folder);
        ArchiveReader.Read(new MemoryStream(archive), builder, s_layout, default);
    }
}
