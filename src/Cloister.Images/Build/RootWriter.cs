using System.Formats.Tar;

namespace Cloister.Images.Build;

/// <summary>
/// Writes a tree as a squashfs by squashfs-tools. LZ4: inside a machine without hardware virtualisation its decompression costs a third of
/// zstd's, and that is paid at every start; its high-compression mode makes up for most of the size.
/// </summary>
internal sealed class RootWriter(string program)
{
    private static readonly string[] Arguments =
    [
        "-comp", "lz4", "-Xhc", "-b", "131072", "-mkfs-time", "0", "-all-time", "0", "-root-time", "0", "-root-mode", "755", "-root-uid", "0", "-root-gid", "0",
        "-no-xattrs", "-no-progress", "-quiet",
    ];

    /// <summary>How it writes, for those who keep what it wrote.</summary>
    public static string Form { get; } = string.Join(' ', Arguments);

    /// <summary>Finds the program.</summary>
    public static RootWriter Find() => new(Tool.Find("sqfstar", "squashfs-tools"));

    /// <summary>The tools' version: other versions may write other bytes.</summary>
    public async Task<string> VersionAsync(CancellationToken cancellation)
    {
        // "sqfstar version 4.5.1 (2022/03/17)"; it ends with 0 or 1, depending on its age.
        string first = (await Tool.RunAsync(program, ["-version"], cancellation)).Split('\n')[0];
        return first.Split(' ').SkipWhile(word => word != "version").Skip(1).FirstOrDefault() ?? throw new ImageException(ImageError.ToolFailed, $"{program} does not tell its version.");
    }

    /// <summary>Writes a new file of whole blocks.</summary>
    public async Task WriteAsync(RootTree tree, ContentStore contents, string path, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        (string Path, RootNode Node)[] all = [.. tree.All()];
        long total = all.Sum(one => one.Node is RootFile file ? file.Content.Length : 0);
        await Tool.RunAsync(program, [.. Arguments, path], null, input => FeedAsync(all, contents, input, total, progress, cancellation), DrainAsync, cancellation);
    }

    private static async Task<long> DrainAsync(Stream output)
    {
        await output.CopyToAsync(Stream.Null);
        return 0;
    }

    private static async Task FeedAsync((string Path, RootNode Node)[] all, ContentStore contents, Stream output, long total, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        await using var writer = new TarWriter(output, TarEntryFormat.Gnu, leaveOpen: true);
        long done = 0;
        foreach ((string path, RootNode node) in all)
        {
            string name = path[1..];
            GnuTarEntry entry = node switch
            {
                RootFolder folder => new(TarEntryType.Directory, name + "/") { Mode = (UnixFileMode)folder.Mode },
                RootLink link => new(TarEntryType.SymbolicLink, name) { LinkName = link.Target, Mode = (UnixFileMode)0b111_111_111 },
                RootFile file => new(TarEntryType.RegularFile, name) { Mode = (UnixFileMode)file.Mode, DataStream = file.Content.Length == 0 ? null : contents.Open(file.Content) },
                _ => throw new InvalidOperationException("A kind of node that is not written."),
            };
            (entry.Uid, entry.Gid, entry.ModificationTime) = (node.User, node.Group, DateTimeOffset.UnixEpoch);
            await writer.WriteEntryAsync(entry, cancellation);
            if (node is not RootFile { Content.Length: var length }) continue;
            done += length;
            progress?.Report(new BuildProgress(BuildStage.Root, done, total, path));
        }
    }
}
