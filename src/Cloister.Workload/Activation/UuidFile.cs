using System.Text;
using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>A workload's UUID across restarts, as text in one small file. Two programs that start at once agree on one UUID.</summary>
internal static class UuidFile
{
    private const int MaxBytes = 64;

    /// <summary>Reads the UUID, or makes a random one where the file is absent.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.UuidFile"/>.</exception>
    public static Guid LoadOrCreate(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            string full = Path.GetFullPath(path);
            return TryLoad(full) ?? Create(full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new WorkloadException(WorkloadError.UuidFile, $"The UUID file '{path}' cannot be read or made: {e.Message} Set EDG_MARBLE_UUID_FILE to a writable place.", e);
        }
    }

    private static Guid? TryLoad(string path)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes + 1];
        int length;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        return Parse(bytes[..length]) ?? throw new WorkloadException(WorkloadError.UuidFile,
            $"The UUID file '{path}' does not hold a UUID such as 6f1b1d3e-1c2b-4f7e-9f4e-0d6a3f1c2b4d. Restore it, or remove it to start as a new workload.");
    }

    /// <summary>The UUID in a file's bytes: text with or without dashes, surrounding white space allowed; null for anything else and for the nil UUID.</summary>
    internal static Guid? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes || !Ascii.IsValid(bytes))
            return null;
        string text = Encoding.ASCII.GetString(bytes).Trim();
        return (Guid.TryParseExact(text, "D", out Guid uuid) || Guid.TryParseExact(text, "N", out uuid)) && uuid != Guid.Empty ? uuid : null;
    }

    private static Guid Create(string path)
    {
        var uuid = Guid.NewGuid();
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder)
            Directory.CreateDirectory(folder);
        return AtomicFile.TryCreate(path, Encoding.ASCII.GetBytes(uuid.ToString("D")))
            ? uuid
            : TryLoad(path) ?? throw new IOException("The file vanished while it was read.");
    }

    /// <summary>Fuzz target: any bytes are a UUID or not, never an exception.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes) => _ = Parse(bytes);
}
