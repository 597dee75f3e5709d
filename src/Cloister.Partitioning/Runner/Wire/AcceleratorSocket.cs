using System.Net;
using System.Net.Sockets;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>Sockets of both sides.</summary>
internal static class AcceleratorSocket
{
    private const int Backlog = 64;
    private const int KeepAliveSeconds = 60, KeepAliveProbeSeconds = 10, KeepAliveProbes = 6;
    private const int BufferBytes = 1 << 20; // room for a tensor: fewer turns between the two sides

    /// <summary>Connects.</summary>
    /// <exception cref="WireException"><see cref="AcceleratorFault.Unreachable"/>.</exception>
    public static async ValueTask<Socket> ConnectAsync(AcceleratorAddress address, CancellationToken cancellation)
    {
        Socket socket = Create(address);
        try
        {
            await (address.IsTcp
                ? socket.ConnectAsync(address.Place, address.Port, cancellation)
                : socket.ConnectAsync(new UnixDomainSocketEndPoint(address.Place), cancellation));
            return socket;
        }
        catch (Exception refused) when (refused is SocketException or PlatformNotSupportedException)
        {
            socket.Dispose();
            throw new WireException(AcceleratorFault.Unreachable, $"{address} cannot be reached: {refused.Message}.", refused);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Listens; gives the address that peers reach. A Unix socket is made for this user alone, in the place of one that nobody listens on any more.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AddressUnusable"/>.</exception>
    public static async ValueTask<(Socket Listener, AcceleratorAddress Address)> ListenAsync(AcceleratorAddress address, CancellationToken cancellation)
    {
        Socket socket = Create(address);
        try
        {
            if (address.IsTcp)
            {
                IPAddress[] hosts = await Dns.GetHostAddressesAsync(address.Place, cancellation);
                socket.Dispose();
                socket = Create(address, hosts[0].AddressFamily);
                if (!OperatingSystem.IsWindows()) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                socket.Bind(new IPEndPoint(hosts[0], address.Port));
                address = address.WithPort(((IPEndPoint)socket.LocalEndPoint!).Port);
            }
            else
            {
                if (Path.GetDirectoryName(address.Place) is { } folder && !Directory.Exists(folder)) CreateFolder(folder);
                await RemoveAbandonedAsync(address.Place, cancellation);
                socket.Bind(new UnixDomainSocketEndPoint(address.Place));
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(address.Place, UnixFileMode.UserRead | UnixFileMode.UserWrite); // nobody can connect before it listens
            }
            socket.Listen(Backlog);
            return (socket, address);
        }
        catch (Exception unusable) when (unusable is SocketException or IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            socket.Dispose();
            throw new PartitioningException(PartitioningError.AddressUnusable, $"An accelerator cannot listen at {address}: {unusable.Message}", unusable);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sets what both sides want of a connection.</summary>
    public static void Tune(Socket socket)
    {
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            socket.NoDelay = true;
            // A machine that is gone says so to nobody: two minutes later the system does, and its connection and model are free.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveProbeSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
        }
        else
        {
            // TCP sizes its buffers by itself, and better.
            (socket.SendBufferSize, socket.ReceiveBufferSize) = (BufferBytes, BufferBytes);
        }
    }

    private static Socket Create(AcceleratorAddress address, AddressFamily? family = null)
    {
        Socket socket = address.IsTcp
            ? (family is { } known ? new Socket(known, SocketType.Stream, ProtocolType.Tcp) : new Socket(SocketType.Stream, ProtocolType.Tcp))
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (!address.IsTcp) Tune(socket);
        else socket.NoDelay = true;
        return socket;
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static async ValueTask RemoveAbandonedAsync(string path, CancellationToken cancellation)
    {
        if (!File.Exists(path) || !IsSocket(path)) return; // anything else there makes binding fail, and is left alone
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }

    // Files, pipes and devices can be opened for reading and writing; a socket cannot (ENXIO, open(2)).
    private static bool IsSocket(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
