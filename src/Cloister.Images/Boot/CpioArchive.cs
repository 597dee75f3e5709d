using System.Globalization;
using System.Text;

namespace Cloister.Images.Boot;

/// <summary>
/// Writes an initrd: a cpio archive of the "newc" form (Linux Documentation/driver-api/early-userspace/buffer-format.rst), not
/// compressed. All belongs to user 0 and has no time; entries come in the order of their names, so that the same content gives the
/// same bytes.
/// </summary>
internal sealed class CpioArchive
{
    private const int DirectoryType = 0x4000, FileType = 0x8000, DeviceType = 0x2000, Block = 512;

    private readonly SortedDictionary<string, (int Mode, ReadOnlyMemory<byte> Content, int Major, int Minor)> _entries = new(StringComparer.Ordinal);

    /// <summary>Adds a directory, with those above it.</summary>
    public void AddDirectory(string path, int mode = 0x1ED)
    {
        AddParents(path);
        Add(path, DirectoryType | mode, default);
    }

    /// <summary>Adds a file, with the directories above it.</summary>
    public void AddFile(string path, ReadOnlyMemory<byte> content, int mode = 0x124)
    {
        AddParents(path);
        Add(path, FileType | mode, content);
    }

    /// <summary>Adds a character device, with the directories above it.</summary>
    public void AddDevice(string path, int major, int minor, int mode = 0x180)
    {
        AddParents(path);
        Add(path, DeviceType | mode, default, major, minor);
    }

    /// <summary>The archive, padded to 512 bytes.</summary>
    public byte[] Build()
    {
        using var archive = new MemoryStream();
        int number = 1;
        foreach ((string path, (int mode, ReadOnlyMemory<byte> content, int major, int minor)) in _entries)
            Write(archive, path, number++, mode, content, major, minor);
        Write(archive, "TRAILER!!!", 0, 0, default, 0, 0);
        Pad(archive, Block);
        return archive.ToArray();
    }

    private void AddParents(string path)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
            if (!_entries.ContainsKey(path[..slash])) Add(path[..slash], DirectoryType | 0x1ED, default);
    }

    private void Add(string path, int mode, ReadOnlyMemory<byte> content, int major = 0, int minor = 0)
    {
        if (path.Length == 0 || path.Split('/').Any(part => part is "" or "." or "..") || path.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException($"'{path}' is no path inside an initrd.", nameof(path));
        if (!_entries.TryAdd(path, (mode, content, major, minor))) throw new ArgumentException($"'{path}' is there already.", nameof(path));
    }

    private static void Write(MemoryStream archive, string path, int number, int mode, ReadOnlyMemory<byte> content, int major, int minor)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        var header = new StringBuilder("070701");
        foreach (int field in new[] { number, mode, 0, 0, (mode & DirectoryType) != 0 && (mode & FileType) == 0 ? 2 : 1, 0, content.Length, 0, 0, major, minor, name.Length, 0 })
            header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        archive.Write(Encoding.ASCII.GetBytes(header.ToString()));
        archive.Write(name);
        Pad(archive, 4);
        archive.Write(content.Span);
        Pad(archive, 4);
    }

    private static void Pad(MemoryStream archive, int to)
    {
        while (archive.Length % to != 0) archive.WriteByte(0);
    }
}
