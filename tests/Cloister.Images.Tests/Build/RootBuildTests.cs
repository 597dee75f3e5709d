using System.Security.Cryptography;
using System.Text;
using Cloister.Images;
using Cloister.Images.Build;

namespace Cloister.Tests;

public sealed class RootBuildTests
{
    private const string Definition = """
        { "name": "x", "entries": { "run": { "command": ["/opt/run"] } }, "mounts": [{ "path": "/var/lib/x" }], "files": [{ "directory": "root" }] }
        """;

    [ToolFact("sqfstar")]
    public async Task A_root_is_the_same_from_other_places_and_times()
    {
        using TemporaryFolder one = Sources(), other = Sources();
        byte[] data = RandomNumberGenerator.GetBytes(100_000);
        one.Write("root/opt/data", data);
        other.Write("root/opt/data", data);
        File.SetLastWriteTimeUtc(other["root/opt/run"], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        (byte[] first, RootDisk disk) = await BuildAsync(one, Definition);
        (byte[] second, _) = await BuildAsync(other, Definition);
        Assert.Equal(SHA256.HashData(first), SHA256.HashData(second));
        Assert.True(await VerityTree.IsIntactAsync(disk, default));

        // Every part is covered: data, the tree, and the length.
        foreach (long at in new[] { 0, 5000, disk.DataBlocks * RootDisk.BlockSize + 3 })
        {
            byte[] changed = (byte[])first.Clone();
            changed[at] ^= 1;
            await File.WriteAllBytesAsync(disk.Path, changed);
            Assert.False(await VerityTree.IsIntactAsync(disk, default));
        }
        await File.WriteAllBytesAsync(disk.Path, [.. first, .. new byte[4096]]);
        Assert.False(await VerityTree.IsIntactAsync(disk, default));
    }

    [ToolFact("sqfstar")]
    public async Task A_kept_root_is_taken_again_and_a_spoiled_one_is_not()
    {
        using TemporaryFolder folder = Sources();
        (byte[] first, _) = await BuildAsync(folder, Definition);
        string kept = Assert.Single(Directory.EnumerateFiles(folder["cache/roots"], "*.img"));
        File.Delete(folder["out.img"]);
        Assert.Equal(first, (await BuildAsync(folder, Definition)).Bytes);
        byte[] spoiled = (byte[])first.Clone();
        spoiled[^1] ^= 1;
        await File.WriteAllBytesAsync(kept, spoiled);
        File.Delete(folder["out.img"]);
        Assert.Equal(first, (await BuildAsync(folder, Definition)).Bytes);
    }

    [ToolTheory("sqfstar")]
    [InlineData("""{ "name": "x", "entries": { "run": { "command": ["/opt/absent"] } }, "files": [{ "directory": "root" }] }""", "entries.run.command")]
    [InlineData("""{ "name": "x", "entries": { "run": { "command": ["/bin/run"] } }, "files": [{ "directory": "root" }] }""", "There is /opt/run")]
    [InlineData("""{ "name": "x", "entries": { "run": { "command": ["/opt/data"] } }, "files": [{ "directory": "root" }] }""", "may not be executed")]
    [InlineData("""{ "name": "x", "entries": { "run": { "command": ["/opt"] } }, "files": [{ "directory": "root" }] }""", "is no file")]
    [InlineData("""{ "name": "x", "entries": { "run": { "command": ["/opt/script"] } }, "files": [{ "directory": "root" }] }""", "/usr/bin/python3")]
    [InlineData("""{ "name": "x", "entries": { "run": { "command": ["/opt/run"], "directory": "/srv" } }, "files": [{ "directory": "root" }] }""", "entries.run.directory")]
    public async Task A_program_that_could_not_start_is_told_when_the_image_is_built(string definition, string named)
    {
        using TemporaryFolder folder = Sources();
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => BuildAsync(folder, definition));
        Assert.Equal(ImageError.ProgramMissing, refused.Error);
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    [ToolFact("sqfstar")]
    public async Task A_root_holds_what_was_given_what_every_root_has_and_the_agent()
    {
        using TemporaryFolder folder = Sources();
        File.CreateSymbolicLink(folder["root/opt/link"], "/etc/passwd");
        await BuildAsync(folder, Definition);
        string listing = await UnsquashAsync("-lln", folder["out.img"]);
        foreach (string line in new[] { "/opt/link -> /etc/passwd", "/cloister/agent/cloister-agent", "/cloister/launch/run", "/var/lib/x", "/cloister/config", "/etc/nsswitch.conf" })
            Assert.Contains(line, listing, StringComparison.Ordinal);
        Assert.Contains("-rwxr-x--- 0/0", listing, StringComparison.Ordinal);
        Assert.Contains("1970-01-01 00:00", listing, StringComparison.Ordinal);
        Assert.DoesNotMatch("(19[89]|20)[0-9]{2}-", listing);
        Assert.Contains("user1000:x:1000:1000:", await UnsquashAsync("-cat", folder["out.img"], "etc/passwd"), StringComparison.Ordinal);
    }

    [ToolFact("sqfstar", "veritysetup")]
    public async Task Veritysetup_agrees_with_the_tree()
    {
        string tool = Tool.Find("veritysetup", "cryptsetup-bin");
        using TemporaryFolder folder = Sources();
        folder.Write("root/opt/data", RandomNumberGenerator.GetBytes(3 << 20));
        (_, RootDisk disk) = await BuildAsync(folder, Definition);
        string[] arguments =
        [
            "verify", disk.Path, disk.Path, Convert.ToHexStringLower(disk.RootHash.Span), "--no-superblock", "--format=1", "--hash=sha256", "--data-block-size=4096", "--hash-block-size=4096",
            $"--data-blocks={disk.DataBlocks}", $"--hash-offset={disk.DataBlocks * RootDisk.BlockSize}", $"--salt={Convert.ToHexStringLower(disk.Salt.Span)}",
        ];
        await Tool.RunAsync(tool, arguments, default);
        await Assert.ThrowsAsync<ImageException>(() => Tool.RunAsync(tool, [.. arguments.Select(argument => argument == arguments[3] ? new string('0', 64) : argument)], default));
    }

    internal static TemporaryFolder Sources()
    {
        var folder = new TemporaryFolder();
        const UnixFileMode Program = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        folder.Write("root/opt/run", StaticProgram(), Program);
        folder.Write("root/opt/data", "data");
        folder.Write("root/opt/script", "#!/usr/bin/python3 -u\n", Program);
        folder.Write("programs/agent/cloister-agent", "agent", Program);
        return folder;
    }

    // An ELF header without an interpreter is all that a build looks at.
    internal static byte[] StaticProgram()
    {
        byte[] program = new byte[64];
        Encoding.ASCII.GetBytes("\u007fELF\u0002\u0001\u0001").CopyTo(program, 0);
        return program;
    }

    private static async Task<(byte[] Bytes, RootDisk Disk)> BuildAsync(TemporaryFolder folder, string definition)
    {
        await using var contents = new ContentStore(folder.Path);
        var build = new RootBuild(ImageDefinitionTests.Read(definition), folder.Path, folder["programs"], folder["cache"], contents, null);
        await build.CollectAsync(null, default);
        RootDisk disk = await build.WriteAsync(folder["out.img"], default);
        return (await File.ReadAllBytesAsync(disk.Path), disk);
    }

    private static Task<string> UnsquashAsync(params string[] arguments) => Tool.RunAsync(Tool.Find("unsquashfs", "squashfs-tools"), arguments, default);
}
