using System.Security.Cryptography;

namespace Cloister.Images.Volumes;

/// <summary>The archive in a slot. Every chunk is authenticated before a byte of it is given out; the end only after all of it was.</summary>
internal sealed class SlotReader : Stream
{
    private readonly IBlockDevice _device;
    private readonly DiskHeader _header;
    private readonly DiskKeys _keys;
    private readonly long _at, _chunks;
    private readonly byte[] _chunk = GC.AllocateArray<byte>(DiskLayout.Chunk, pinned: true);
    private readonly byte[] _sealed = new byte[DiskLayout.SealedChunk];
    private readonly IncrementalHash _tags = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly CancellationToken _cancellation;
    private long _index, _left;
    private int _from, _until;

    /// <param name="device">The disk.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="header">The slot's header, known to be the one that counts.</param>
    /// <param name="keys">Its keys; disposed with the reader.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="ImageException"><see cref="ImageError.DiskSize"/>: the slot cannot hold as much as the header says.</exception>
    public SlotReader(IBlockDevice device, DiskLayout layout, DiskHeader header, DiskKeys keys, CancellationToken cancellation)
    {
        if (header.Length > layout.MaxArchive)
            throw new ImageException(ImageError.DiskSize, $"The sealed disk holds {header.Length} bytes, more than its definition allows. Give it the size that it was written with.");
        (_device, _header, _keys, _cancellation) = (device, header, keys, cancellation);
        _at = layout.SlotOf(header.Version) + IBlockDevice.BlockSize;
        (_chunks, _left) = (DiskLayout.ChunksFor(header.Length), header.Length);
    }

    /// <exception cref="ImageException"><see cref="ImageError.DiskChanged"/>.</exception>
    /// <exception cref="IOException">The device cannot be read.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return 0;
        if (_from == _until)
        {
            if (_left == 0)
                return 0;
            Next();
        }
        int count = Math.Min(buffer.Length, _until - _from);
        _chunk.AsSpan(_from, count).CopyTo(buffer);
        _from += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    private void Next()
    {
        _cancellation.ThrowIfCancellationRequested();
        bool last = _index == _chunks - 1;
        _device.Read(_at + (_index * DiskLayout.SealedChunk), _sealed);
        _tags.AppendData(_sealed.AsSpan()[^DiskLayout.TagSize..]);
        _keys.Open(_index, last, _sealed, _chunk);
        (_from, _until) = (0, (int)Math.Min(_left, DiskLayout.Chunk));
        _left -= _until;
        _index++;
        if (last && (_chunk.AsSpan(_until).ContainsAnyExcept((byte)0) || !CryptographicOperations.FixedTimeEquals(_tags.GetHashAndReset(), _header.Tags)))
        {
            (_from, _until, _left) = (0, 0, 0);
            throw new ImageException(ImageError.DiskChanged, "The sealed disk's chunks are not those of its header. Give the machine the disk that it wrote last.");
        }
    }

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(_chunk);
        _keys.Dispose();
        _tags.Dispose();
        base.Dispose(disposing);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
