using Cloister.Sealing;

namespace Cloister.Cli.CommandLine;

/// <summary>Files named on the command line: read whole with a cap, written atomically, secrets for the owner's eyes alone.</summary>
internal static class LocalFile
{
    public const int DocumentLimit = 8 << 20;

    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellation, int limit = DocumentLimit)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > limit)
                throw new CommandException(ExitCode.BadInput, $"'{path}' has {file.Length:N0} bytes; at most {limit:N0} are read. Is it the right file?");
            return await File.ReadAllBytesAsync(path, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' cannot be read: {exception.Message}", exception);
        }
    }

    public static async Task<string> ReadTextAsync(string path, CancellationToken cancellation) =>
        System.Text.Encoding.UTF8.GetString(await ReadAsync(path, cancellation));

    public static Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        WriteAsync(path, bytes, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, cancellation);

    /// <summary>Writes a secret: readable by the owner alone, and never over a file that is there.</summary>
    public static Task WriteSecretAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (File.Exists(path))
            throw new CommandException(ExitCode.BadInput, $"'{path}' exists: a key is never overwritten. Name another place, or move it away.");
        return WriteAsync(path, bytes, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellation);
    }

    /// <summary>Writes what is the owner's alone and can be made again: readable by the owner, over what was there.</summary>
    public static Task WritePrivateAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        WriteAsync(path, bytes, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellation);

    private static async Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, UnixFileMode mode, CancellationToken cancellation)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
                Directory.CreateDirectory(folder);
            await AtomicFile.WriteAsync(path, (stream, token) => stream.WriteAsync(bytes, token).AsTask(), mode, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' cannot be written: {exception.Message}", exception);
        }
    }
}
