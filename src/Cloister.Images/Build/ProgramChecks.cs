using System.Buffers.Binary;
using System.Text;
using Cloister.Images.Definition;

namespace Cloister.Images.Build;

/// <summary>Whether the programs of a definition are in its root and can be executed there: what is missing is told when the image is built, not when it runs.</summary>
internal static class ProgramChecks
{
    private const int Execute = 0b001_001_001, HeadSize = 64 << 10, MaximumScripts = 4;
    private const uint Interpreter = 3;

    public static async Task CheckAsync(RootTree tree, ContentStore contents, ImageDefinition definition, CancellationToken cancellation)
    {
        foreach ((string name, EntryPoint entry) in definition.Entries)
        {
            await ProgramAsync(tree, contents, entry.Command[0], $"entries.{name}.command: {entry.Command[0]}", 0, cancellation);
            bool made = definition.Mounts.Select(mount => mount.Path).Concat(definition.Disks.Select(disk => disk.Path)).Concat(["/tmp", "/run"]).Any(folder => GuestPath.IsWithin(entry.Directory, folder));
            if (!made && tree.Find(entry.Directory) is not RootFolder) throw Missing($"entries.{name}.directory: {entry.Directory} is no folder of the image.");
        }
    }

    private static async Task ProgramAsync(RootTree tree, ContentStore contents, string path, string what, int depth, CancellationToken cancellation)
    {
        RootNode? node = tree.Find(path);
        if (node is null) throw Missing($"{what} is not in the image; files must bring it.{Similar(tree, path)}");
        if (node is not RootFile file) throw Missing($"{what} is no file.");
        if ((file.Mode & Execute) == 0) throw Missing($"{what} may not be executed (its mode is {Convert.ToString(file.Mode, 8)}).");
        byte[] head = new byte[(int)Math.Min(HeadSize, file.Content.Length)];
        await using (Stream stream = contents.Open(file.Content))
            await stream.ReadExactlyAsync(head, cancellation);
        if (depth < MaximumScripts && InterpreterOf(head) is { } interpreter)
            await ProgramAsync(tree, contents, interpreter, $"{what} is started through {interpreter}, which", depth + 1, cancellation);
    }

    /// <summary>The program that the kernel starts in a file's place: a script's first line, an ELF file's PT_INTERP; null if there is none.</summary>
    internal static string? InterpreterOf(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("#!"u8))
        {
            int end = head.IndexOf((byte)'\n');
            string line = Encoding.UTF8.GetString(head[2..(end < 0 ? Math.Min(head.Length, 256) : end)]).Trim();
            string program = line.Split(' ', '\t')[0];
            return GuestPath.Problem(program) is null ? program : null;
        }
        if (head.Length < 64 || !head.StartsWith("\u007fELF"u8) || head[4] != 2 || head[5] != 1) return null;
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(head[32..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(head[54..]), count = BinaryPrimitives.ReadUInt16LittleEndian(head[56..]);
        for (int index = 0; index < count && size >= 56; index++)
        {
            ulong at = table + (ulong)(index * size);
            if (at > (ulong)(head.Length - 56)) return null;
            ReadOnlySpan<byte> program = head[(int)at..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(program) != Interpreter) continue;
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(program[8..]), length = BinaryPrimitives.ReadUInt64LittleEndian(program[32..]);
            if (length is 0 or > 4096 || offset > (ulong)head.Length - Math.Min(length, (ulong)head.Length)) return null;
            string path = Encoding.UTF8.GetString(head.Slice((int)offset, (int)length - 1));
            return GuestPath.Problem(path) is null ? path : null;
        }
        return null;
    }

    private static string Similar(RootTree tree, string path)
    {
        string name = path[(path.LastIndexOf('/') + 1)..];
        string[] places = [.. tree.All().Where(one => one.Node is RootFile && !one.Path.StartsWith("/cloister/", StringComparison.Ordinal) && one.Path.EndsWith("/" + name, StringComparison.Ordinal)).Select(one => one.Path).Take(3)];
        return places.Length == 0 ? "" : $" There is {string.Join(", ", places)}.";
    }

    private static ImageException Missing(string message) => new(ImageError.ProgramMissing, message);
}
