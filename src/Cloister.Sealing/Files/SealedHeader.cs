using System.Collections.Immutable;

namespace Cloister.Sealing;

/// <summary>One piece of a sealed file's content, such as a model's graph or a file of its weights.</summary>
/// <param name="Name">A relative path of printable ASCII with '/' between folders.</param>
/// <param name="Length">Bytes of plaintext.</param>
public sealed record SealedEntry(string Name, long Length);

/// <summary>What a sealed file says of itself in clear; docs/formats/sealed-file.md is the layout. It is authentic only if it came through <see cref="SealedFile.OpenAsync(Stream, SealedTrust, ReadOnlyMemory{byte}, CancellationToken)"/> or the inspection's signature was checked against a trusted maker.</summary>
/// <param name="FormatVersion">1.</param>
/// <param name="SignatureAlgorithm">How the maker signed.</param>
/// <param name="KeyId">Which key opens the file: 32 lower-case hex digits, see <see cref="SealedFile.KeyIdOf"/>.</param>
/// <param name="Name">Name of the content, printable ASCII.</param>
/// <param name="Version">Version of the content, 0 or more.</param>
/// <param name="ChunkSize">Plaintext bytes in every chunk but the last: 1 MiB.</param>
/// <param name="Salt">32 random bytes from which, with the key, the file's own key comes.</param>
/// <param name="Entries">At least one, in the order in which their bytes follow each other.</param>
public sealed record SealedHeader(
    int FormatVersion, SignatureAlgorithm SignatureAlgorithm, string KeyId, string Name, long Version, int ChunkSize,
    ReadOnlyMemory<byte> Salt, ImmutableArray<SealedEntry> Entries)
{
    /// <summary>Plaintext bytes of all entries together.</summary>
    public long ContentLength => Entries.Sum(entry => entry.Length);

    /// <summary>Chunks in the file; content of no bytes has one empty chunk.</summary>
    public int ChunkCount => (int)Math.Max(1, (ContentLength + ChunkSize - 1) / ChunkSize);
}
