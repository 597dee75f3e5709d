// The C library's calls on files relative to an open folder: no name is resolved twice, and no link is followed.
//
// References: openat(2), statx(2), getdents64(2), linkat(2), symlinkat(2), utimensat(2).
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Images.Volumes;

/// <summary>What a folder's entry is.</summary>
internal enum EntryKind
{
    Other,
    Folder,
    File,
    Link,
}

/// <summary>What the kernel says about an entry.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Permission bits, sticky bit and set-id bits.</param>
/// <param name="User">Its owner's number.</param>
/// <param name="Group">Its group's number.</param>
/// <param name="Names">How many names a file has.</param>
/// <param name="Inode">Its number in its file system.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
internal readonly record struct EntryStatus(EntryKind Kind, ushort Mode, uint User, uint Group, uint Names, ulong Inode, long Length, long Modified);

internal static unsafe partial class FolderCalls
{
    public const int NameMax = 255, TargetMax = 4095;

    private const int ReadOnly = 0, WriteOnly = 1, Create = 0x40, Exclusive = 0x80, NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int AtSymlinkNoFollow = 0x100, AtEmptyPath = 0x1000, AtRemoveFolder = 0x200, AtCurrent = -100;
    private const uint BasicStatistics = 0x7ff;
    private const int SeekData = 3, SeekHole = 4, NoSuchData = 6, NoEntry = 2;

    // The only two flags whose values differ between the processors that Linux runs this on.
    private static readonly int s_directory = IsArm ? 0x4000 : 0x10000, s_noFollow = IsArm ? 0x8000 : 0x20000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public static SafeFileHandle OpenFolder(string path)
    {
        byte[] name = [.. System.Text.Encoding.UTF8.GetBytes(path), 0];
        fixed (byte* at = name)
            return Handle(openat(AtCurrent, at, ReadOnly | s_directory | CloseOnExec, 0), path);
    }

    public static SafeFileHandle OpenFolder(SafeFileHandle folder, ReadOnlySpan<byte> name) => Open(folder, name, ReadOnly | s_directory | s_noFollow | CloseOnExec, 0);

    // Never waits for the other end of a pipe that took the file's name.
    public static SafeFileHandle OpenFile(SafeFileHandle folder, ReadOnlySpan<byte> name) => Open(folder, name, ReadOnly | s_noFollow | NonBlocking | CloseOnExec, 0);

    public static SafeFileHandle CreateFile(SafeFileHandle folder, ReadOnlySpan<byte> name) =>
        Open(folder, name, WriteOnly | Create | Exclusive | s_noFollow | CloseOnExec, 0b110_000_000);

    public static EntryStatus Status(SafeFileHandle folder, ReadOnlySpan<byte> name)
    {
        fixed (byte* at = Terminated(name))
            return Statx(folder, at, AtSymlinkNoFollow);
    }

    public static EntryStatus Status(SafeFileHandle open)
    {
        byte nothing = 0;
        return Statx(open, &nothing, AtEmptyPath);
    }

    /// <summary>The names in a folder, without <c>.</c> and <c>..</c>, in the order of their bytes.</summary>
    public static List<byte[]> Names(SafeFileHandle folder, int atMost)
    {
        var names = new List<byte[]>();
        if (lseek(folder, 0, 0) != 0)
            throw Failure("A folder cannot be listed");
        byte[] buffer = new byte[32 << 10];
        fixed (byte* at = buffer)
        {
            while (true)
            {
                nint read = getdents64(folder, at, (nuint)buffer.Length);
                if (read < 0)
                    throw Failure("A folder cannot be listed");
                if (read == 0)
                    break;
                for (int from = 0; from < read;)
                {
                    int length = BitConverter.ToUInt16(buffer, from + 16);
                    ReadOnlySpan<byte> name = buffer.AsSpan(from + 19, length - 19);
                    name = name[..name.IndexOf((byte)0)];
                    if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                        names.Add(name.ToArray());
                    from += length;
                }
                if (names.Count > atMost)
                    throw new ImageException(ImageError.DiskFull, $"A folder of the sealed disk has more than {atMost} entries, the most that its size allows.");
            }
        }
        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }

    public static byte[] ReadLink(SafeFileHandle folder, ReadOnlySpan<byte> name)
    {
        byte[] target = new byte[TargetMax + 1];
        nint length;
        fixed (byte* at = Terminated(name), into = target)
            length = readlinkat(folder, at, into, (nuint)target.Length);
        return length is > 0 and <= TargetMax ? target[..(int)length] : throw Failure("A symbolic link cannot be read");
    }

    /// <summary>Where data begins at or after an offset, and where it ends; null if there is none. A file system without holes has data everywhere.</summary>
    public static (long From, long Until)? NextData(SafeFileHandle file, long offset)
    {
        long from = lseek(file, offset, SeekData);
        if (from < 0)
            return Marshal.GetLastPInvokeError() == NoSuchData ? null : throw Failure("A file cannot be read");
        long until = lseek(file, from, SeekHole);
        return until > from ? (from, until) : throw Failure("A file cannot be read");
    }

    public static void MakeFolder(SafeFileHandle folder, ReadOnlySpan<byte> name)
    {
        fixed (byte* at = Terminated(name))
            Check(mkdirat(folder, at, 0b111_000_000), "A folder cannot be made");
    }

    public static void MakeLink(SafeFileHandle folder, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        fixed (byte* at = Terminated(name), to = Terminated(target))
            Check(symlinkat(to, folder, at), "A symbolic link cannot be made");
    }

    /// <summary>Gives a file another name. Both names are relative to <paramref name="root"/> or its folders.</summary>
    public static void MakeName(SafeFileHandle root, ReadOnlySpan<byte> existing, SafeFileHandle folder, ReadOnlySpan<byte> name)
    {
        fixed (byte* from = Terminated(existing), at = Terminated(name))
            Check(linkat(root, from, folder, at, 0), "A file cannot be given another name");
    }

    public static void SetMode(SafeFileHandle open, ushort mode) => Check(fchmod(open, mode), "Rights cannot be set");

    public static void SetOwner(SafeFileHandle folder, ReadOnlySpan<byte> name, uint user, uint group)
    {
        fixed (byte* at = Terminated(name))
            Check(fchownat(folder, at, user, group, AtSymlinkNoFollow), "An owner cannot be set");
    }

    public static void SetModified(SafeFileHandle folder, ReadOnlySpan<byte> name, long nanoseconds)
    {
        (long seconds, long rest) = Math.DivRem(nanoseconds, 1_000_000_000);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + 1_000_000_000);
        long* times = stackalloc long[4] { seconds, rest, seconds, rest };
        fixed (byte* at = Terminated(name))
            Check(utimensat(folder, at, times, AtSymlinkNoFollow), "A time cannot be set");
    }

    public static void Remove(SafeFileHandle folder, ReadOnlySpan<byte> name, bool isFolder)
    {
        fixed (byte* at = Terminated(name))
            Check(unlinkat(folder, at, isFolder ? AtRemoveFolder : 0), "An entry cannot be removed");
    }

    public static long End(SafeFileHandle file)
    {
        long end = lseek(file, 0, 2);
        return end >= 0 ? end : throw Failure("A device's size cannot be read");
    }

    private static SafeFileHandle Open(SafeFileHandle folder, ReadOnlySpan<byte> name, int flags, uint mode)
    {
        fixed (byte* at = Terminated(name))
            return Handle(openat(folder, at, flags, mode), null);
    }

    private static SafeFileHandle Handle(int descriptor, string? path) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure(path is null ? "An entry cannot be opened" : $"'{path}' cannot be opened");

    private static EntryStatus Statx(SafeFileHandle folder, byte* name, int flags)
    {
        byte* into = stackalloc byte[256];
        Check(statx(folder, name, flags, BasicStatistics, into), "An entry cannot be looked at");
        ushort mode = *(ushort*)(into + 28);
        EntryKind kind = (mode & 0xF000) switch { 0x4000 => EntryKind.Folder, 0x8000 => EntryKind.File, 0xA000 => EntryKind.Link, _ => EntryKind.Other };
        return new EntryStatus(kind, (ushort)(mode & 0xFFF), *(uint*)(into + 20), *(uint*)(into + 24), *(uint*)(into + 16),
            *(ulong*)(into + 32), *(long*)(into + 40), checked((*(long*)(into + 112) * 1_000_000_000) + *(uint*)(into + 120)));
    }

    private static byte[] Terminated(ReadOnlySpan<byte> name) => [.. name, 0];

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw Failure(what);
    }

    private static IOException Failure(string what)
    {
        int code = Marshal.GetLastPInvokeError();
        return code == NoEntry
            ? new FileNotFoundException($"{what}: {Marshal.GetPInvokeErrorMessage(code)}.")
            : new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(code)}.", code);
    }

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int openat(int folder, byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int openat(SafeFileHandle folder, byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int statx(SafeFileHandle folder, byte* path, int flags, uint mask, byte* into);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint getdents64(SafeFileHandle folder, byte* into, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint readlinkat(SafeFileHandle folder, byte* path, byte* into, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mkdirat(SafeFileHandle folder, byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int symlinkat(byte* target, SafeFileHandle folder, byte* path);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int linkat(SafeFileHandle from, byte* existing, SafeFileHandle folder, byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int fchmod(SafeFileHandle open, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int fchownat(SafeFileHandle folder, byte* path, uint user, uint group, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int utimensat(SafeFileHandle folder, byte* path, long* times, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int unlinkat(SafeFileHandle folder, byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial long lseek(SafeFileHandle file, long offset, int whence);
}
