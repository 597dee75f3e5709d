using Microsoft.Win32.SafeHandles;

namespace Cloister.Images.Volumes;

/// <summary>A block device, or an ordinary file in its place.</summary>
public sealed class BlockDeviceFile : IBlockDevice
{
    private readonly SafeFileHandle _file;

    private BlockDeviceFile(SafeFileHandle file, long length) => (_file, Length) = (file, length);

    /// <inheritdoc/>
    public long Length { get; }

    /// <summary>Opens it for this process alone.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskFailed"/>.</exception>
    public static BlockDeviceFile Open(string path)
    {
        try
        {
            SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            try
            {
                return new BlockDeviceFile(file, FolderCalls.End(file));
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.DiskFailed, $"The disk '{path}' cannot be opened: {error.Message}", error);
        }
    }

    /// <summary>Makes the empty file of a new disk on the host: as long as its layout says, and without a block that takes room.</summary>
    /// <param name="path">The file; there is none yet.</param>
    /// <param name="layout">The disk's layout.</param>
    /// <exception cref="IOException">It exists, or cannot be made.</exception>
    public static void Create(string path, DiskLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        RandomAccess.SetLength(file, layout.DiskSize);
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int read = RandomAccess.Read(_file, buffer, offset);
            if (read == 0)
                throw new EndOfStreamException("The disk ends before its size.");
            buffer = buffer[read..];
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_file, bytes, offset);

    /// <inheritdoc/>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
