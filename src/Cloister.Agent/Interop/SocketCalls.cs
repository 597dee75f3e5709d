using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Interop;

/// <summary>socket(2), bind(2), send(2), recv(2), ioctl(2): what network and packet filter need. Constants are those of Linux on x64.</summary>
internal static partial class SocketCalls
{
    public const int Internet = 2, Netlink = 16; // AF_INET, AF_NETLINK
    public const int Datagram = 2, Raw = 3, CloseOnExec = 0x80000; // SOCK_DGRAM, SOCK_RAW, SOCK_CLOEXEC

    /// <summary>Opens a socket that programs do not inherit.</summary>
    public static SafeFileHandle Open(int domain, int type, int protocol, string what) =>
        new(KernelException.Check(socket(domain, type | CloseOnExec, protocol), nameof(socket), what), ownsHandle: true);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(SafeFileHandle socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(SafeFileHandle socket, ReadOnlySpan<byte> bytes, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(SafeFileHandle socket, Span<byte> bytes, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(SafeFileHandle socket, nuint request, Span<byte> argument);
}
