using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Cloister.Images.Sources;

/// <summary>What kind of thing a name of this machine's file system is.</summary>
internal enum FileKind
{
    File,
    Folder,
    Link,

    /// <summary>A device, a socket or a pipe.</summary>
    Special,
}

/// <summary>Kind and rights of a name, links not followed. The framework tells neither devices nor pipes from files, and opening a pipe would wait for ever.</summary>
internal static partial class FileStatus
{
    private const int CurrentFolder = -100, NoFollow = 0x100, BasicStatistics = 0x7ff, StatxSize = 256, ModeAt = 28;

    /// <exception cref="ImageException"><see cref="ImageError.SourceUnreadable"/>.</exception>
    public static (FileKind Kind, int Mode) Of(string path)
    {
        Span<byte> buffer = stackalloc byte[StatxSize];
        if (Statx(CurrentFolder, path, NoFollow, BasicStatistics, ref MemoryMarshal.GetReference(buffer)) != 0)
            throw new ImageException(ImageError.SourceUnreadable, $"'{path}' cannot be read: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        int mode = BinaryPrimitives.ReadUInt16LittleEndian(buffer[ModeAt..]);
        FileKind kind = (mode & 0xF000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.Link,
            _ => FileKind.Special,
        };
        return (kind, mode & 0x1FF);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte buffer);
}
