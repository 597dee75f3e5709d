using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Platform.Interop;

/// <summary>What Linux says through libc and .NET does not. Constants are those of Linux on x64 and arm64.</summary>
[SupportedOSPlatform("linux")]
internal static partial class LinuxInterop
{
    private const int SolSocket = 1, SoPeerCred = 17, SoPeerPidFd = 77, NoSuchOption = 92; // SO_PEERPIDFD: Linux 6.5; ENOPROTOOPT before
    private const int AtFdCwd = -100, AtSymlinkNoFollow = 0x100, StatxType = 1, StatxSize = 256, StatxModeAt = 28;
    private const int TypeMask = 0xF000, TypeRegular = 0x8000, TypeSocket = 0xC000;
    private const int LimitOpenFiles = 7; // RLIMIT_NOFILE

    /// <summary>The process that connected a Unix socket, as the kernel recorded it (unix(7), SO_PEERCRED).</summary>
    public static int PeerProcessId(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        int length = credentials.Length;
        if (getsockopt(socket.SafeHandle, SolSocket, SoPeerCred, credentials, ref length) != 0 || length != credentials.Length)
            throw new PlatformException(PlatformError.PeerNotMeasurable, $"The kernel does not name the peer (SO_PEERCRED: {Marshal.GetLastPInvokeErrorMessage()}).");
        return BitConverter.ToInt32(credentials);
    }

    /// <summary>A handle of the process that connected, which no other process can take over; null before Linux 6.5.</summary>
    public static SafeFileHandle? PeerProcessHandle(Socket socket)
    {
        Span<byte> descriptor = stackalloc byte[sizeof(int)];
        int length = descriptor.Length;
        if (getsockopt(socket.SafeHandle, SolSocket, SoPeerPidFd, descriptor, ref length) == 0 && length == sizeof(int))
            return new SafeFileHandle(BitConverter.ToInt32(descriptor), ownsHandle: true);
        return Marshal.GetLastPInvokeError() == NoSuchOption
            ? null
            : throw new PlatformException(PlatformError.PeerChanged, $"The process that asked has ended (SO_PEERPIDFD: {Marshal.GetLastPInvokeErrorMessage()}).");
    }

    /// <summary>Whether a path names a regular file, without following a link and without opening it (opening a pipe would wait).</summary>
    public static bool IsRegularFile(string path) => TypeOf(path) == TypeRegular;

    /// <summary>Whether a path names a Unix socket.</summary>
    public static bool IsSocket(string path) => TypeOf(path) == TypeSocket;

    /// <summary>How many files and sockets this process may have open (getrlimit(2), the soft limit); null if the kernel does not say.</summary>
    public static ulong? OpenFiles()
    {
        Span<ulong> limits = stackalloc ulong[2]; // struct rlimit: soft, hard
        return getrlimit(LimitOpenFiles, limits) == 0 ? limits[0] : null;
    }

    private static int TypeOf(string path)
    {
        Span<byte> status = stackalloc byte[StatxSize];
        return statx(AtFdCwd, path, AtSymlinkNoFollow, StatxType, status) == 0
            ? BinaryPrimitives.ReadUInt16LittleEndian(status[StatxModeAt..]) & TypeMask
            : 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(SafeSocketHandle socket, int level, int name, Span<byte> value, ref int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, Span<ulong> limits);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Span<byte> status);
}
