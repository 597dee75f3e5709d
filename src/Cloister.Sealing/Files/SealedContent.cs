namespace Cloister.Sealing;

/// <summary>What to seal.</summary>
/// <param name="Name">Name of the content, 1 to 255 characters of printable ASCII: what the manifest and people call it.</param>
/// <param name="Version">Version of the content, 0 or more; readers may ask for a minimum.</param>
/// <param name="Entries">The pieces, 1 to 2048.</param>
public sealed record SealedContent(string Name, long Version, IReadOnlyList<SealedSource> Entries);

/// <summary>One piece to seal.</summary>
/// <param name="Name">Its name: a relative path of printable ASCII with '/' between folders, at most 255 characters.</param>
/// <param name="Length">Its exact length in bytes.</param>
/// <param name="Open">Opens its bytes; called once, and the stream is disposed after reading. Sealing never holds more than a few chunks.</param>
public sealed record SealedSource(string Name, long Length, Func<Stream> Open)
{
    /// <summary>A piece from a file, read while sealing.</summary>
    public static SealedSource FromFile(string name, string path) => new(name, new FileInfo(path).Length,
        () => new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 0, Options = FileOptions.SequentialScan | FileOptions.Asynchronous }));

    /// <summary>A piece from memory.</summary>
    public static SealedSource FromBytes(string name, byte[] bytes) => new(name, bytes.LongLength, () => new MemoryStream(bytes, writable: false));
}
