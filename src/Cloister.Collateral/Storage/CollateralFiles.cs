using System.Security.Cryptography;
using System.Text;

namespace Cloister.Collateral;

/// <summary>Files of a folder of collateral, each with its SHA-256 beside it in the form of <c>sha256sum</c>.</summary>
internal static class CollateralFiles
{
    private const int LargestDigestFile = 512;

    /// <summary>What a file's digest says of it.</summary>
    public enum Digest
    {
        /// <summary>There is none.</summary>
        Absent,

        /// <summary>It is the content's.</summary>
        Holds,

        /// <summary>It is another's, or out of form.</summary>
        Differs,
    }

    public static string PathOf(string folder, CollateralRequest request) => Path.Combine(folder, request.Name.Replace('/', Path.DirectorySeparatorChar));

    public static string DigestPathOf(string path) => path + ".sha256";

    /// <summary>Reads a file and looks at its digest. Null if there is no file.</summary>
    /// <exception cref="CollateralException">It cannot be read, or is too large.</exception>
    public static async Task<(byte[] Bytes, Digest Digest)?> ReadAsync(string path, int maximumSize, CancellationToken cancellation)
    {
        if (await BytesAsync(path, maximumSize, cancellation) is not { } bytes) return null;
        if (await BytesAsync(DigestPathOf(path), LargestDigestFile, cancellation) is not { } line) return (bytes, Digest.Absent);
        return (bytes, Line(bytes, path).AsSpan().SequenceEqual(line) ? Digest.Holds : Digest.Differs);
    }

    /// <summary>Replaces a file so that a crash leaves the old bytes or the new ones; where it leaves the old digest, the entry is none.</summary>
    /// <exception cref="CollateralException">It cannot be written.</exception>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await ReplaceAsync(path, bytes, cancellation);
            await ReplaceAsync(DigestPathOf(path), Line(bytes.Span, path), cancellation);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CollateralException(CollateralError.Storage, $"{path} cannot be written: {failed.Message}", failed);
        }
    }

    private static async Task<byte[]?> BytesAsync(string path, int maximumSize, CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(path, new FileStreamOptions { Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous });
            if (file.Length > maximumSize) throw new CollateralException(CollateralError.TooLarge, $"{path} has {file.Length} bytes; at most {maximumSize} are read.");
            var bytes = new byte[file.Length];
            await file.ReadExactlyAsync(bytes, cancellation);
            return bytes;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CollateralException(CollateralError.Storage, $"{path} cannot be read: {failed.Message}", failed);
        }
    }

    private static async Task ReplaceAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        string temporary = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            await using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous }))
            {
                await file.WriteAsync(bytes, cancellation);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary); // is there only if something failed
        }
    }

    private static byte[] Line(ReadOnlySpan<byte> bytes, string path) =>
        Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(SHA256.HashData(bytes))}  {Path.GetFileName(path)}\n");
}
