using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Cloister.Platform.Interop;

namespace Cloister.Platform.Simulation;

/// <summary>The simulator's Unix socket in the file system.</summary>
internal static class SimulatorSocket
{
    private const int MaximumPath = 107; // sockaddr_un.sun_path without its end (unix(7))

    public static UnixDomainSocketEndPoint EndPoint(string path) => path.Length > 0 && Encoding.UTF8.GetByteCount(path) <= MaximumPath
        ? new UnixDomainSocketEndPoint(path)
        : throw new PlatformException(PlatformError.SocketPathInvalid, $"A socket's path has 1 to {MaximumPath} bytes; '{path}' does not. Choose a shorter folder.");

    /// <summary>Listens on a path for this user alone, in the place of a socket that a former simulator left.</summary>
    [SupportedOSPlatform("linux")]
    public static Socket Listen(string path)
    {
        UnixDomainSocketEndPoint endPoint = EndPoint(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            RemoveAbandoned(path, endPoint);
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            socket.Bind(endPoint);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite); // nobody can connect before it listens
            socket.Listen();
            return socket;
        }
        catch (Exception unusable) when (unusable is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new PlatformException(PlatformError.SocketPathInvalid, $"The simulator cannot listen at {path}: {unusable.Message}", unusable);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    [SupportedOSPlatform("linux")]
    private static void RemoveAbandoned(string path, UnixDomainSocketEndPoint endPoint)
    {
        if (!LinuxInterop.IsSocket(path)) return; // anything else there makes binding fail, and is left alone
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        throw new PlatformException(PlatformError.SimulatorAlreadyRunning, $"Another simulator listens at {path}. Use it, or end it first.");
    }
}
