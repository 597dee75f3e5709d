namespace Cloister.Sealing;

/// <summary>
/// An opened sealed file: maker, digest, name, version, key and tree are checked; each chunk is checked against the tree and by its tag before its
/// plaintext is released. Reads may run beside each other.
/// </summary>
public sealed class SealedReader : IAsyncDisposable
{
    private readonly SeekableBytes file;
    private readonly SealedFront front;
    private readonly FileKeys keys;
    private readonly Dictionary<string, (long Start, long Length)> places = new(StringComparer.Ordinal);

    internal SealedReader(SeekableBytes file, SealedFront front, FileKeys keys)
    {
        this.file = file;
        this.front = front;
        this.keys = keys;
        long start = 0;
        foreach (SealedEntry entry in front.Header.Entries)
        {
            places.Add(entry.Name, (start, entry.Length));
            start += entry.Length;
        }
    }

    /// <summary>What the file says of itself; authentic.</summary>
    public SealedHeader Header => front.Header;

    /// <summary>The model digest, 64 lower-case hex digits.</summary>
    public string Digest => Convert.ToHexStringLower(front.Digest);

    /// <summary>Whether there is an entry of this name.</summary>
    public bool Contains(string entry) => places.ContainsKey(entry);

    /// <summary>Bytes in an entry.</summary>
    /// <exception cref="ArgumentException">No such entry.</exception>
    public long LengthOf(string entry) => Find(entry).Length;

    /// <summary>Reads a whole entry straight into the caller's buffer, on as many cores as there are. On failure the buffer is zeroed.</summary>
    /// <param name="entry">Its name.</param>
    /// <param name="destination">Exactly as long as the entry; pinned memory is not moved or copied. Longer entries than 2 GiB are read by the other overloads.</param>
    /// <param name="progress">Told how many bytes are done, from several threads.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="ArgumentException">No such entry, or another length.</exception>
    /// <exception cref="SealingException">A chunk is not what the maker sealed, or the file ends too early.</exception>
    public Task ReadAsync(string entry, Memory<byte> destination, IProgress<long>? progress = null, CancellationToken cancellation = default) =>
        destination.Length == LengthOf(entry)
            ? ReadPinnedAsync(entry, 0, destination, progress, cancellation)
            : throw new ArgumentException($"Entry \"{entry}\" has {LengthOf(entry)} bytes, the buffer {destination.Length}.", nameof(destination));

    /// <summary>Reads a part of an entry. Whole chunks (1 MiB of the file's content) go straight to the destination; their parts by way of a buffer.</summary>
    /// <inheritdoc cref="ReadAsync(string, Memory{byte}, IProgress{long}?, CancellationToken)" path="/exception"/>
    /// <param name="entry">Its name.</param>
    /// <param name="offset">Where in the entry to begin.</param>
    /// <param name="destination">Where the bytes go; on failure it is zeroed.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public Task ReadAsync(string entry, long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        ReadPinnedAsync(entry, offset, destination, null, cancellation);

    /// <summary>Reads a part of an entry, or all of it, into unmanaged memory: for entries longer than 2 GiB.</summary>
    /// <inheritdoc cref="ReadAsync(string, Memory{byte}, IProgress{long}?, CancellationToken)" path="/exception"/>
    /// <param name="entry">Its name.</param>
    /// <param name="offset">Where in the entry to begin.</param>
    /// <param name="destination">Address of <paramref name="length"/> writable bytes, which the caller keeps valid until the task ends; on failure they are zeroed.</param>
    /// <param name="length">How many bytes to read.</param>
    /// <param name="progress">Told how many bytes are done, from several threads.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public Task ReadAsync(string entry, long offset, nint destination, long length, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        (long start, long available) = Find(entry);
        if (offset < 0 || length < 0 || offset > available - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"Entry \"{entry}\" has {available} bytes; {length} from {offset} on are not there.");
        return length == 0 ? Task.CompletedTask : new ChunkRead(file, front, keys, start + offset, destination, length, progress).RunAsync(cancellation);
    }

    /// <summary>Reads and checks every chunk, and keeps nothing.</summary>
    /// <param name="progress">Told how many bytes are done, from several threads.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="SealingException">A chunk is not what the maker sealed, or the file ends too early.</exception>
    public Task VerifyAsync(IProgress<long>? progress = null, CancellationToken cancellation = default) =>
        new ChunkRead(file, front, keys, 0, 0, Header.ContentLength, progress).RunAsync(cancellation);

    /// <summary>Wipes the file's key and closes the stream.</summary>
    public async ValueTask DisposeAsync()
    {
        keys.Dispose();
        await file.DisposeAsync();
    }

    private async Task ReadPinnedAsync(string entry, long offset, Memory<byte> destination, IProgress<long>? progress, CancellationToken cancellation)
    {
        using var pin = destination.Pin();
        await ReadAsync(entry, offset, AddressOf(pin), destination.Length, progress, cancellation);
    }

    private static unsafe nint AddressOf(System.Buffers.MemoryHandle pin) => (nint)pin.Pointer;

    private (long Start, long Length) Find(string entry) => places.TryGetValue(entry, out (long, long) place)
        ? place
        : throw new ArgumentException($"The sealed file has no entry \"{entry}\". It has: {string.Join(", ", Header.Entries.Take(20).Select(known => known.Name))}.", nameof(entry));
}
