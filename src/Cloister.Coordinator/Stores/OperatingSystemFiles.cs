using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Cloister.Coordinator.Stores;

/// <summary>Real files. On Windows a rename needs no flush of the folder.</summary>
internal sealed partial class OperatingSystemFiles : IFileLayer
{
    public static OperatingSystemFiles Instance { get; } = new();

    public byte[]? Read(string path, long maxBytes)
    {
        if (!File.Exists(path))
            return null;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (file.Length > maxBytes)
            throw new StoreException(StoreError.TooLarge, $"{path} has {file.Length} bytes; at most {maxBytes} are allowed.");
        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    public IWrittenFile Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new WrittenFile(new FileStream(path, options));
    }

    public long? Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : null;

    public IWrittenFile Append(string path, long offset)
    {
        var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 });
        stream.Position = offset;
        return new WrittenFile(stream);
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw new IOException($"Cannot open folder {folder}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        int outcome = FSync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (outcome != 0)
            throw new IOException($"Cannot flush folder {folder}: {new Win32Exception(error).Message}");
    }

    /// <summary>Holds the folder for this process until disposed; the system releases it when the process dies.</summary>
    public static IDisposable Lock(string path)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return new FileStream(path, options);
        }
        catch (IOException error)
        {
            throw new StoreException(StoreError.InUse, $"{path} is held by another process: stop the other coordinator, or give this one its own seal folder.", error);
        }
    }

    // open(2) is variadic in its third argument only, which O_RDONLY (0) does not take.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);

    private sealed class WrittenFile(FileStream stream) : IWrittenFile
    {
        public void Write(ReadOnlySpan<byte> bytes) => stream.Write(bytes);

        public void Flush() => stream.Flush(flushToDisk: true);

        public void Dispose() => stream.Dispose();
    }
}
