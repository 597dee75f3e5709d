using System.Runtime.InteropServices;

namespace Cloister.Sealing;

/// <summary>
/// Replaces files so that a reader, or a restart after a crash or a power cut, finds the old bytes or the new ones and never a mixture:
/// write beside the target, flush to the disk, rename, flush the folder.
/// </summary>
public static partial class AtomicFile
{
    /// <summary>How the names of unfinished files end. One that is found at start belongs to a process that was killed, and can be deleted.</summary>
    public const string TemporarySuffix = ".cloister-tmp";

    private const int InvalidArgument = 22, AlreadyExists = 17;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes or replaces a file that only its owner may read. When the task has ended, the bytes are on the disk.</summary>
    /// <param name="path">The target; its folder exists. A symbolic link is replaced, not followed.</param>
    /// <param name="bytes">The whole content.</param>
    /// <param name="cancellation">Before the rename: nothing has changed.</param>
    public static Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default) =>
        WriteAsync(path, (stream, token) => stream.WriteAsync(bytes, token).AsTask(), OwnerOnly, cancellation);

    /// <summary>As the overload for bytes; the content is written by the caller's function.</summary>
    /// <param name="path">The target; its folder exists. A symbolic link is replaced, not followed.</param>
    /// <param name="write">Writes the whole content to a stream that can seek.</param>
    /// <param name="mode">Access rights on Unix, of which the process's umask is taken away.</param>
    /// <param name="cancellation">Before the rename: nothing has changed.</param>
    public static async Task WriteAsync(string path, Func<Stream, CancellationToken, Task> write, UnixFileMode mode, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target) ?? throw new ArgumentException("The path names no file.", nameof(path));
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{TemporarySuffix}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        try
        {
            await using (var stream = new FileStream(temporary, options))
            {
                await write(stream, cancellation);
                stream.Flush(flushToDisk: true);
            }
            cancellation.ThrowIfCancellationRequested();
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        FlushFolder(folder);
    }

    /// <summary>
    /// Writes a file that only its owner may read, unless there is one of that name. Of several processes that try at once, one succeeds, and the
    /// others find its whole content.
    /// </summary>
    /// <param name="path">The target; its folder exists.</param>
    /// <param name="bytes">The whole content.</param>
    /// <returns>Whether this call made the file; then the bytes are on the disk.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static bool TryCreate(string path, ReadOnlySpan<byte> bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(target) ?? throw new ArgumentException("The path names no file.", nameof(path));
        string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{TemporarySuffix}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        try
        {
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }
            if (!TryPublish(temporary, target))
                return false;
        }
        finally
        {
            File.Delete(temporary);
        }
        FlushFolder(folder);
        return true;
    }

    // File.Move looks before it renames, so two of them may both succeed on Unix; link(2) never replaces.
    private static bool TryPublish(string temporary, string target)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (Link(temporary, target) == 0)
                return true;
            int code = Marshal.GetLastPInvokeError();
            return code == AlreadyExists ? false : throw new IOException($"The file \"{target}\" could not be made: {Marshal.GetPInvokeErrorMessage(code)}.", code);
        }
        try
        {
            File.Move(temporary, target, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(target))
        {
            return false;
        }
    }

    /// <summary>Makes the names in a folder last: a rename is only on the disk when its folder is. Windows keeps them by itself.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed.</exception>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0 /* O_RDONLY */);
        if (descriptor < 0)
            throw Failure(folder);
        // EINVAL is how a file system says that it has no such operation for folders.
        IOException? problem = Flush(descriptor) == 0 || Marshal.GetLastPInvokeError() == InvalidArgument ? null : Failure(folder);
        _ = Close(descriptor); // opened for reading: nothing can be lost by closing
        if (problem is not null)
            throw problem;
    }

    private static IOException Failure(string folder)
    {
        int code = Marshal.GetLastPInvokeError();
        return new IOException($"The folder \"{folder}\" could not be flushed to the disk: {Marshal.GetPInvokeErrorMessage(code)}.", code);
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string existing, string added);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
