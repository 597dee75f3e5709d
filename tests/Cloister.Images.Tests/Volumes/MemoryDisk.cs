using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

/// <summary>A disk of the host that keeps an order of its writes, and can lose all after any of them.</summary>
internal sealed class MemoryDisk : IBlockDevice
{
    private readonly byte[] _bytes;

    public MemoryDisk(DiskLayout layout) => _bytes = new byte[layout.DiskSize];

    public MemoryDisk(byte[] bytes) => _bytes = [.. bytes];

    /// <summary>Blocks that are still written; the next one fails, as all calls do from then on.</summary>
    public long BlocksLeft { get; set; } = long.MaxValue;

    public long BlocksWritten { get; private set; }

    public int Flushes { get; private set; }

    public byte[] Bytes => _bytes;

    public long Length => _bytes.Length;

    public MemoryDisk Copy() => new(_bytes);

    public void Read(long offset, Span<byte> buffer)
    {
        Assert.Equal(0, offset % IBlockDevice.BlockSize);
        Assert.Equal(0, buffer.Length % IBlockDevice.BlockSize);
        _bytes.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(0, offset % IBlockDevice.BlockSize);
        Assert.Equal(0, bytes.Length % IBlockDevice.BlockSize);
        for (int at = 0; at < bytes.Length; at += IBlockDevice.BlockSize)
        {
            if (BlocksLeft-- <= 0)
                throw new IOException("The power is off.");
            bytes.Slice(at, IBlockDevice.BlockSize).CopyTo(_bytes.AsSpan((int)offset + at));
            BlocksWritten++;
        }
    }

    public void Flush()
    {
        if (BlocksLeft < 0)
            throw new IOException("The power is off.");
        Flushes++;
    }

    public void Dispose()
    {
    }
}
