using System.Security.Cryptography;

namespace Cloister.Images.Volumes;

/// <summary>Takes an archive and writes it, sealed, into a slot: one chunk in memory. The slot is no commit before <see cref="Finish"/>.</summary>
internal sealed class SlotWriter : WriteOnlyStream
{
    private readonly IBlockDevice _device;
    private readonly DiskLayout _layout;
    private readonly DiskIdentity _identity;
    private readonly DiskKeys _keys;
    private readonly ulong _version;
    private readonly byte[] _salt, _keyId;
    private readonly byte[] _chunk = GC.AllocateArray<byte>(DiskLayout.Chunk, pinned: true);
    private readonly byte[] _sealed = new byte[DiskLayout.SealedChunk];
    private readonly IncrementalHash _tags = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly CancellationToken _cancellation;
    private int _filled;
    private long _index;

    public SlotWriter(IBlockDevice device, DiskLayout layout, DiskIdentity identity, ReadOnlySpan<byte> key, ulong version, ReadOnlySpan<byte> salt, CancellationToken cancellation)
    {
        (_device, _layout, _identity, _version, _salt, _cancellation) = (device, layout, identity, version, salt.ToArray(), cancellation);
        _keys = DiskKeys.Derive(key, identity, version, salt);
        _keyId = DiskKeys.KeyId(key);
    }

    /// <summary>Bytes taken so far.</summary>
    public long Written => (_index * DiskLayout.Chunk) + _filled;

    /// <exception cref="ImageException"><see cref="ImageError.DiskFull"/>.</exception>
    /// <exception cref="IOException">The device does not take it.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > _layout.MaxArchive - Written)
            throw new ImageException(ImageError.DiskFull, $"The folder of the sealed disk '{_identity.Name}' holds more than its {_layout.MaxContent >> 20} MiB. Remove something, or give the disk more in the image's definition.");
        while (!buffer.IsEmpty)
        {
            // The last chunk is known only when the next byte comes, or none.
            if (_filled == _chunk.Length)
                Emit(last: false);
            int count = Math.Min(buffer.Length, _chunk.Length - _filled);
            buffer[..count].CopyTo(_chunk.AsSpan(_filled));
            _filled += count;
            buffer = buffer[count..];
        }
    }

    /// <summary>Writes the last chunk and the header. The device has still to be flushed.</summary>
    /// <exception cref="IOException">The device does not take it.</exception>
    public DiskState Finish()
    {
        long length = Written;
        Emit(last: true);
        var header = new DiskHeader(_version, length, _salt, _keyId, _keys.Commitment, _tags.GetHashAndReset());
        byte[] block = new byte[IBlockDevice.BlockSize];
        header.Write(block);
        _device.Write(_layout.SlotOf(_version), block);
        return new DiskState(_version, DiskKeys.DigestOf(_identity, header));
    }

    private void Emit(bool last)
    {
        _cancellation.ThrowIfCancellationRequested();
        // Whole blocks: what is not filled of the last chunk stays zero in clear and is sealed with it; the header's length cuts it off.
        _chunk.AsSpan(_filled).Clear();
        _keys.Seal(_index, last, _chunk, _sealed);
        _tags.AppendData(_sealed.AsSpan()[^DiskLayout.TagSize..]);
        _device.Write(_layout.SlotOf(_version) + IBlockDevice.BlockSize + (_index * DiskLayout.SealedChunk), _sealed);
        _index++;
        _filled = 0;
    }

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(_chunk);
        _keys.Dispose();
        _tags.Dispose();
        base.Dispose(disposing);
    }
}
