using System.Buffers;
using System.Security.Cryptography;

namespace Cloister.Images.Build;

/// <summary>The bytes of one file, kept in a <see cref="ContentStore"/>.</summary>
/// <param name="Offset">Where they begin.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Sha256">Their digest, lower-case hexadecimal.</param>
internal sealed record FileContent(long Offset, long Length, string Sha256);

/// <summary>
/// Keeps what sources hold in one unnamed file, once per content: what is digested for the lock is what goes into the root, even if a source
/// changes meanwhile. Not for several threads.
/// </summary>
internal sealed class ContentStore : IAsyncDisposable
{
    /// <summary>Most bytes of all files together.</summary>
    public const long MaximumSize = 16L << 30;

    private const int BufferSize = 1 << 20;

    private readonly Dictionary<string, FileContent> _known = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly FileStream _file;
    private long _end;

    /// <param name="folder">A folder that exists, with room for the whole root.</param>
    /// <param name="maximum">Most bytes of all files together.</param>
    public ContentStore(string folder, long maximum = MaximumSize)
    {
        (_folder, Maximum) = (folder, maximum);
        _file = NewTemporary();
    }

    /// <summary>Most bytes of all files together.</summary>
    public long Maximum { get; }

    /// <summary>An empty file beside this one, gone when it is closed.</summary>
    public FileStream NewTemporary() => new(Path.Combine(_folder, $"content-{Guid.NewGuid():N}"), new FileStreamOptions
    {
        Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0, Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
    });

    /// <summary>Takes all that <paramref name="source"/> has from where it stands.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="what">What they are, for refusals.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <exception cref="ImageException"><see cref="ImageError.SourceTooLarge"/>.</exception>
    public async Task<FileContent> AddAsync(Stream source, string what, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long length = 0;
            _file.Position = _end;
            while (await source.ReadAsync(buffer, cancellation) is > 0 and int read)
            {
                length += read;
                if (_end + length > Maximum)
                    throw new ImageException(ImageError.SourceTooLarge, $"{what}: with it the root would have more than {Maximum:N0} bytes.");
                hash.AppendData(buffer, 0, read);
                await _file.WriteAsync(buffer.AsMemory(0, read), cancellation);
            }
            string digest = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (_known.TryGetValue(digest, out FileContent? known)) return known;
            var content = new FileContent(_end, length, digest);
            _end += length;
            _known.Add(digest, content);
            return content;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Takes bytes that the builder makes itself.</summary>
    public async Task<FileContent> AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        using var stream = new MemoryStream(bytes.ToArray(), writable: false);
        return await AddAsync(stream, "a file of the builder", cancellation);
    }

    /// <summary>The bytes of a file.</summary>
    public Stream Open(FileContent content) => new SliceStream(_file.SafeFileHandle, content.Offset, content.Length);

    /// <summary>The whole content of a small file.</summary>
    public async Task<byte[]> ReadAsync(FileContent content, int limit, CancellationToken cancellation)
    {
        if (content.Length > limit) throw new ImageException(ImageError.SourceTooLarge, $"a file of {content.Length:N0} bytes where at most {limit:N0} are read.");
        byte[] bytes = new byte[content.Length];
        await Open(content).ReadExactlyAsync(bytes, cancellation);
        return bytes;
    }

    public ValueTask DisposeAsync() => _file.DisposeAsync();
}
