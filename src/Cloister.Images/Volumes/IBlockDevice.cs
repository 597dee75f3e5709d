namespace Cloister.Images.Volumes;

/// <summary>A disk of the host, or a file in its place. Offsets and lengths are multiples of <see cref="BlockSize"/>. Nothing it answers is believed.</summary>
public interface IBlockDevice : IDisposable
{
    /// <summary>Bytes of a block.</summary>
    const int BlockSize = 4096;

    /// <summary>Bytes in all.</summary>
    long Length { get; }

    /// <summary>Reads exactly as many bytes as the buffer has.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    void Read(long offset, Span<byte> buffer);

    /// <summary>Writes all bytes; they last once <see cref="Flush"/> returned.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Makes everything that was written last.</summary>
    /// <exception cref="IOException">It cannot be made to.</exception>
    void Flush();
}
