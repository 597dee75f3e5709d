using Cloister.Sealing;

namespace Cloister.Platform;

/// <summary>Small files that their owner alone may read: 0600 in a directory of mode 0700, written whole or not at all.</summary>
internal static class PrivateFile
{
    private const int MaximumSize = 64 << 10;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite, FolderMode = FileMode | UnixFileMode.UserExecute;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Reads a key file; null if there is none.</summary>
    /// <exception cref="PlatformException">Others may read or replace it, or it cannot be read.</exception>
    public static byte[]? ReadKey(string path)
    {
        try
        {
            if (!File.Exists(path)) return null;
            RequireClosed(path, (ModeOf(path) & Others) == 0, "chmod 600");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            RequireClosed(folder, (ModeOf(folder) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0, "chmod 700");
            using FileStream file = File.OpenRead(path);
            if (file.Length > MaximumSize) throw new PlatformException(PlatformError.KeyFileInvalid, $"{path} is too large to be a key.");
            byte[] content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, unusable);
        }
    }

    /// <summary>Writes a file unless there is one already, durably. Returns whether it was written; of several processes at once, one writes.</summary>
    /// <exception cref="PlatformException">It cannot be written.</exception>
    public static bool CreateOnce(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            CreateFolder(path);
            return AtomicFile.TryCreate(path, content);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, unusable);
        }
    }

    private static void CreateFolder(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, FolderMode);
    }

    // Windows has access lists instead.
    private static UnixFileMode ModeOf(string path) => OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(path);

    private static void RequireClosed(string path, bool closed, string command)
    {
        if (!closed) throw new PlatformException(PlatformError.KeyFileExposed, $"{path} is open to other users, so its key may be known to them. Make it private (`{command} {path}`), or delete it for a new key.");
    }

    private static PlatformException Unusable(string path, Exception inner) =>
        new(PlatformError.KeyFileUnusable, $"{path} cannot be used: {inner.Message}", inner);
}
