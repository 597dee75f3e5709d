using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Cloister.Images.Machines;

/// <summary>Unix sockets whatever the length of their path: the kernel takes 107 bytes, so a longer one goes through the folder's open handle.</summary>
[SupportedOSPlatform("linux")]
internal static partial class SocketPath
{
    private const int Limit = 107;
    private const int PathOnly = 0x200000, Folder = 0x10000, CloseOnExecute = 0x80000; // O_PATH, O_DIRECTORY, O_CLOEXEC of x86-64

    /// <summary>Listens at <paramref name="path"/>, whatever was left there.</summary>
    public static Socket Listen(string path)
    {
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        With(path, end => socket.Bind(end));
        socket.Listen();
        return socket;
    }

    /// <summary>Connects to whoever listens at <paramref name="path"/>.</summary>
    /// <exception cref="SocketException">Nobody does.</exception>
    public static Socket Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            With(path, end => socket.Connect(end));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    private static void With(string path, Action<UnixDomainSocketEndPoint> use)
    {
        if (Encoding.UTF8.GetByteCount(path) <= Limit)
        {
            use(new UnixDomainSocketEndPoint(path));
            return;
        }
        int folder = Open(Path.GetDirectoryName(path)!, PathOnly | Folder | CloseOnExecute);
        if (folder < 0)
            throw new SocketException((int)SocketError.AddressNotAvailable, $"'{path}': {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        try
        {
            use(new UnixDomainSocketEndPoint(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{folder}/{Path.GetFileName(path)}")));
        }
        finally
        {
            _ = Close(folder);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
