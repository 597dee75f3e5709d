using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Cloister.Partitioning.Runner;

/// <summary>How bytes reach an accelerator.</summary>
public enum AcceleratorTransport
{
    /// <summary>A Unix socket.</summary>
    Unix = 1,
    /// <summary>TCP.</summary>
    Tcp = 2,
    /// <summary>A Unix socket for control, shared memory for tensors.</summary>
    SharedMemory = 3,
}

/// <summary>Where an accelerator listens: <c>unix:/path</c>, <c>tcp:host:port</c> or <c>shm:/path</c> (the path of its Unix socket).</summary>
public sealed record AcceleratorAddress
{
    private const int MaximumPath = 107; // sockaddr_un.sun_path without its end (unix(7))
    private const int MaximumHost = 253; // RFC 1035

    private AcceleratorAddress(AcceleratorTransport transport, string place, int port) => (Transport, Place, Port) = (transport, place, port);

    /// <summary>How bytes get there.</summary>
    public AcceleratorTransport Transport { get; }

    /// <summary>The socket's path, or the host's name or IP address (an IPv6 one without brackets).</summary>
    public string Place { get; }

    /// <summary>The TCP port; 0 where there is none, or where the system shall choose one to listen on.</summary>
    public int Port { get; }

    /// <summary>Reads an address.</summary>
    /// <param name="text">Such as <c>unix:/run/cloister/a.sock</c>, <c>tcp:10.0.0.7:9100</c>, <c>tcp:[::1]:9100</c> or <c>shm:/run/cloister/a.sock</c>.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AddressRefused"/>.</exception>
    public static AcceleratorAddress Parse(string text) => TryParse(text, out AcceleratorAddress? address)
        ? address
        : throw new PartitioningException(PartitioningError.AddressRefused,
            $"'{text}' is no address of an accelerator: give unix:/path, shm:/path (absolute, at most {MaximumPath} bytes) or tcp:host:port.");

    /// <summary>As <see cref="Parse"/>; false where the text is no address.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AcceleratorAddress? address)
    {
        address = (text ?? "").Split(':', 2) switch
        {
            ["unix", var path] when IsPath(path) => new(AcceleratorTransport.Unix, path, 0),
            ["shm", var path] when IsPath(path) => new(AcceleratorTransport.SharedMemory, path, 0),
            ["tcp", var end] => ParseTcp(end),
            _ => null,
        };
        return address is not null;
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Transport switch
    {
        AcceleratorTransport.Unix => "unix:" + Place,
        AcceleratorTransport.SharedMemory => "shm:" + Place,
        _ => string.Create(CultureInfo.InvariantCulture, $"tcp:{(Place.Contains(':', StringComparison.Ordinal) ? $"[{Place}]" : Place)}:{Port}"),
    };

    /// <summary>What is the same for two addresses that lead to one accelerator.</summary>
    internal (string Place, int Port) Door => (Place, Port);

    /// <summary>The same host with another port: what the system chose.</summary>
    internal AcceleratorAddress WithPort(int port) => new(Transport, Place, port);

    private static bool IsPath(string path) =>
        path.Length > 1 && path[0] == '/' && !path.Contains('\0', StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(path) <= MaximumPath;

    private static AcceleratorAddress? ParseTcp(string end)
    {
        int colon = end.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(end.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return null;
        string host = end[..colon];
        if (host is ['[', .. var inner, ']'])
            return System.Net.IPAddress.TryParse(inner, out System.Net.IPAddress? v6) && inner.Contains(':', StringComparison.Ordinal) ? new(AcceleratorTransport.Tcp, v6.ToString(), port) : null;
        return host.Length <= MaximumHost && host.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_') ? new(AcceleratorTransport.Tcp, host, port) : null;
    }
}
