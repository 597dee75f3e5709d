using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Interop;

/// <summary>mount(2), chown(2) and the calls that walk a path folder by folder. Constants are those of Linux on x64.</summary>
internal static partial class FileCalls
{
    public const ulong NoSetUser = 2, NoDevices = 4, NoExecution = 8, Move = 8192; // MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_MOVE
    public const int Detach = 2; // MNT_DETACH
    public const int ReadOnly = 0, WriteOnly = 1, Create = 0x40, Exclusive = 0x80; // O_RDONLY, O_WRONLY, O_CREAT, O_EXCL
    public const int Directory = 0x10000, NoFollow = 0x20000, CloseOnExec = 0x80000; // O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC
    public const int Exists = 17; // EEXIST
    public const uint OwnerOnly = 0b110_000_000, OwnerFolder = 0b111_000_000; // 0600, 0700

    /// <summary>Opens a file or folder; throws with what it is for.</summary>
    public static SafeFileHandle OpenAt(SafeFileHandle folder, string name, int flags, uint mode, string what) =>
        new(KernelException.Check(openat(folder, name, flags | CloseOnExec, mode), nameof(openat), what), ownsHandle: true);

    /// <summary>Opens a folder by its whole path, whose last part is no link.</summary>
    public static SafeFileHandle OpenFolder(string path, string what) =>
        new(KernelException.Check(open(path, Directory | NoFollow | CloseOnExec, 0), nameof(open), what), ownsHandle: true);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mount(string source, string target, string type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int chown(string path, int user, int group);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fchown(SafeFileHandle file, int user, int group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int chmod(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(SafeFileHandle folder, string name, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int mkdirat(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int renameat(SafeFileHandle from, string name, SafeFileHandle to, string newName);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlinkat(SafeFileHandle folder, string name, int flags);
}
