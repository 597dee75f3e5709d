using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Cloister.Agent.Interop;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Network;

/// <summary>Gives interfaces addresses and a gateway (netdevice(7)).</summary>
internal static class Interfaces
{
    private const nuint SetAddress = 0x8916, SetNetmask = 0x891C, GetFlags = 0x8913, SetFlags = 0x8914, AddRoute = 0x890B; // SIOC*
    private const int RequestLength = 40, NameLength = 16, RouteLength = 120; // struct ifreq, struct rtentry
    private const ushort Up = 1, ByGateway = 2; // IFF_UP, RTF_UP; RTF_GATEWAY

    /// <summary>Starts an interface.</summary>
    public static void Raise(string name)
    {
        using SafeFileHandle socket = Open(name);
        Raise(socket, name);
    }

    /// <summary>Gives an interface an address and starts it; then, if there is one, the gateway.</summary>
    /// <exception cref="KernelException">There is no such interface, or it does not take this.</exception>
    public static void Configure(string name, IPAddress address, int prefix, IPAddress? gateway)
    {
        using SafeFileHandle socket = Open(name);
        Set(socket, SetAddress, name, address);
        Span<byte> mask = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(mask, prefix == 0 ? 0 : uint.MaxValue << (32 - prefix));
        Set(socket, SetNetmask, name, new IPAddress(mask));
        Raise(socket, name);
        if (gateway is null) return;

        Span<byte> route = stackalloc byte[RouteLength];
        route.Clear();
        WriteAddress(route[8..], IPAddress.Any); // rt_dst
        WriteAddress(route[24..], gateway); // rt_gateway
        WriteAddress(route[40..], IPAddress.Any); // rt_genmask
        MemoryMarshal.Write(route[56..], (ushort)(Up | ByGateway)); // rt_flags
        KernelException.Check(SocketCalls.ioctl(socket, AddRoute, route), "ioctl SIOCADDRT", $"The gateway {gateway}");
    }

    private static SafeFileHandle Open(string name) => SocketCalls.Open(SocketCalls.Internet, SocketCalls.Datagram, 0, $"The interface {name}");

    private static void Set(SafeFileHandle socket, nuint request, string name, IPAddress address)
    {
        Span<byte> argument = stackalloc byte[RequestLength];
        WriteName(argument, name);
        WriteAddress(argument[NameLength..], address);
        KernelException.Check(SocketCalls.ioctl(socket, request, argument), "ioctl", $"The interface {name}, address {address}");
    }

    private static void Raise(SafeFileHandle socket, string name)
    {
        Span<byte> argument = stackalloc byte[RequestLength];
        WriteName(argument, name);
        KernelException.Check(SocketCalls.ioctl(socket, GetFlags, argument), "ioctl SIOCGIFFLAGS", $"The interface {name}");
        ushort flags = MemoryMarshal.Read<ushort>(argument[NameLength..]);
        MemoryMarshal.Write(argument[NameLength..], (ushort)(flags | Up));
        KernelException.Check(SocketCalls.ioctl(socket, SetFlags, argument), "ioctl SIOCSIFFLAGS", $"The interface {name}");
    }

    private static void WriteName(Span<byte> argument, string name)
    {
        argument.Clear();
        if (Encoding.ASCII.GetByteCount(name) >= NameLength) throw new ArgumentException("The name of an interface has at most 15 bytes.", nameof(name));
        Encoding.ASCII.GetBytes(name, argument);
    }

    // struct sockaddr_in
    private static void WriteAddress(Span<byte> at, IPAddress address)
    {
        MemoryMarshal.Write(at, (ushort)SocketCalls.Internet);
        address.GetAddressBytes().CopyTo(at[4..]);
    }
}
