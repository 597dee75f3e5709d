using System.Security.Cryptography;
using System.Text;
using Cloister.Images.Boot;

namespace Cloister.Tests.Boot;

public sealed class CpioArchiveTests
{
    [Fact]
    public void The_form_is_newc_sorted_and_without_time()
    {
        byte[] archive = Example();
        Assert.Equal(0, archive.Length % 512);
        (string Name, string Mode, string Content)[] entries = [.. Entries(archive)];
        Assert.Equal(
            [("dev", "41ED", ""), ("dev/console", "2180", ""), ("etc", "41ED", ""), ("etc/a", "8124", "first"), ("etc/b", "8140", "b"), ("root", "41C0", ""), ("TRAILER!!!", "0", "")],
            entries);
        Assert.Equal(archive, Example());
    }

    [LinuxFact(program: "/bin/busybox")]
    public async Task Another_reader_sees_the_same()
    {
        using var folder = new Folder();
        string path = folder.File("archive", Example());
        Running.Result listed = await Running.RunAsync("/bin/busybox", ["sh", "-c", $"cd {folder.Path}; /bin/busybox cpio -t < {path}"]);
        Assert.Equal(["dev", "dev/console", "etc", "etc/a", "etc/b", "root"], listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Running.Result unpacked = await Running.RunAsync("/bin/busybox", ["sh", "-c", $"cd {folder.Path}; /bin/busybox cpio -i etc etc/a etc/b < {path}; /bin/busybox cat etc/a etc/b"]);
        Assert.Equal("firstb", unpacked.Output);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    [InlineData("etc/a")]
    public void A_path_that_leads_elsewhere_or_is_taken_is_refused(string path)
    {
        var archive = new CpioArchive();
        archive.AddFile("etc/a", "x"u8.ToArray());
        Assert.Throws<ArgumentException>(() => archive.AddFile(path, default));
    }

    [Fact]
    public void The_bytes_are_frozen() =>
        Assert.Equal("5d0f93b7735e6ecb5865eb673911411131513bbe17d0b1cc071573e3ffae82f9", Convert.ToHexStringLower(SHA256.HashData(Example())));

    private static byte[] Example()
    {
        var archive = new CpioArchive();
        archive.AddFile("etc/b", "b"u8.ToArray(), 0x140);
        archive.AddDirectory("root", 0x1C0);
        archive.AddFile("etc/a", "first"u8.ToArray());
        archive.AddDevice("dev/console", 5, 1);
        return archive.Build();
    }

    private static IEnumerable<(string Name, string Mode, string Content)> Entries(byte[] archive)
    {
        for (int at = 0; ;)
        {
            Assert.Equal("070701", Encoding.ASCII.GetString(archive, at, 6));
            int[] fields = [.. Enumerable.Range(0, 13).Select(i => Convert.ToInt32(Encoding.ASCII.GetString(archive, at + 6 + 8 * i, 8), 16))];
            Assert.Equal([0, 0, 0], fields[2..4].Append(fields[5]));
            string name = Encoding.ASCII.GetString(archive, at + 110, fields[11] - 1);
            at = (at + 110 + fields[11] + 3) / 4 * 4;
            yield return (name, fields[1].ToString("X", null), Encoding.ASCII.GetString(archive, at, fields[6]));
            at = (at + fields[6] + 3) / 4 * 4;
            if (name == "TRAILER!!!") yield break;
        }
    }
}
