using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;

namespace Cloister.Partitioning.Runner;

/// <summary>How bytes reach an accelerator.</summary>
public enum AcceleratorTransport
{
    /// <summary>A Unix socket.</summary>
    Unix = 1,
    /// <summary>TCP, in clear.</summary>
    Tcp = 2,
    /// <summary>A Unix socket for control, shared memory for tensors.</summary>
    SharedMemory = 3,
    /// <summary>TLS 1.3 over TCP; the accelerator is known by its key.</summary>
    Tls = 4,
}

/// <summary>
/// Where an accelerator listens: <c>unix:/path</c>, <c>shm:/path</c> (the path of its Unix socket), <c>tcp:host:port</c> or
/// <c>tls:host:port#sha256:HEX</c>. The last part is the SHA-256 of the SubjectPublicKeyInfo of its TLS key, without which an accelerator can
/// listen, but no workload connects.
/// </summary>
public sealed record AcceleratorAddress
{
    private const int MaximumPath = 107; // sockaddr_un.sun_path without its end (unix(7))
    private const int MaximumHost = 253; // RFC 1035
    private const int PinDigits = 64;
    private const string PinMark = "sha256:";

    private AcceleratorAddress(AcceleratorTransport transport, string place, int port, string? pin = null) => (Transport, Place, Port, Pin) = (transport, place, port, pin);

    /// <summary>How bytes get there.</summary>
    public AcceleratorTransport Transport { get; }

    /// <summary>The socket's path, or the host's name or IP address (an IPv6 one without brackets).</summary>
    public string Place { get; }

    /// <summary>The TCP port; 0 where there is none, or where the system shall choose one to listen on.</summary>
    public int Port { get; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo of the accelerator's TLS key, 64 lower-case hex digits; null where none is named.</summary>
    public string? Pin { get; }

    /// <summary>Whether there is a host and a port, and no path.</summary>
    internal bool IsTcp => Transport is AcceleratorTransport.Tcp or AcceleratorTransport.Tls;

    /// <summary>Reads an address.</summary>
    /// <param name="text">Such as <c>unix:/run/cloister/a.sock</c>, <c>shm:/run/cloister/a.sock</c>, <c>tcp:[::1]:9100</c> or <c>tls:10.0.0.7:7700#sha256:...</c>.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AddressRefused"/>.</exception>
    public static AcceleratorAddress Parse(string text) => TryParse(text, out AcceleratorAddress? address)
        ? address
        : throw new PartitioningException(PartitioningError.AddressRefused,
            $"'{text}' is no address of an accelerator: give unix:/path, shm:/path (absolute, at most {MaximumPath} bytes), tcp:host:port, or tls:host:port followed by #{PinMark} and {PinDigits} hex digits.");

    /// <summary>Reads the addresses of the accelerators that a workload uses.</summary>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.AddressRefused"/>, <see cref="PartitioningError.PinMissing"/> or <see cref="PartitioningError.AcceleratorNamedTwice"/>.
    /// </exception>
    public static IReadOnlyList<AcceleratorAddress> ParseMany(IEnumerable<string> texts)
    {
        AcceleratorAddress[] addresses = [.. texts.Select(Parse)];
        Demand(addresses);
        return addresses;
    }

    /// <summary>As <see cref="Parse"/>; false where the text is no address.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AcceleratorAddress? address)
    {
        address = (text ?? "").Split(':', 2) switch
        {
            ["unix", var path] when IsPath(path) => new(AcceleratorTransport.Unix, path, 0),
            ["shm", var path] when IsPath(path) => new(AcceleratorTransport.SharedMemory, path, 0),
            ["tcp", var end] => ParseTcp(AcceleratorTransport.Tcp, end, null),
            ["tls", var end] => ParseTls(end),
            _ => null,
        };
        return address is not null;
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Transport switch
    {
        AcceleratorTransport.Unix => "unix:" + Place,
        AcceleratorTransport.SharedMemory => "shm:" + Place,
        _ => string.Create(CultureInfo.InvariantCulture,
            $"{(Transport == AcceleratorTransport.Tls ? "tls" : "tcp")}:{(Place.Contains(':', StringComparison.Ordinal) ? $"[{Place}]" : Place)}:{Port}{(Pin is null ? "" : $"#{PinMark}{Pin}")}"),
    };

    /// <summary>Sees that a workload can use all of the addresses, and each accelerator has one.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.PinMissing"/> or <see cref="PartitioningError.AcceleratorNamedTwice"/>.</exception>
    internal static void Demand(IReadOnlyList<AcceleratorAddress> addresses)
    {
        if (addresses.FirstOrDefault(address => address is { Transport: AcceleratorTransport.Tls, Pin: null }) is { } anybody)
            throw new PartitioningException(PartitioningError.PinMissing,
                $"'{anybody}' does not say by which key the accelerator is known: add #{PinMark} and the fingerprint, as `cloister accelerator run` prints the address on its machine. No certificate authority stands in for it.");
        if (addresses.GroupBy(address => (address.Place, address.Port)).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new PartitioningException(PartitioningError.AcceleratorNamedTwice,
                $"{string.Join(" and ", twice)} are one accelerator: turned away as a liar under one name, it would be asked under the other. Name it once.");
    }

    /// <summary>The same host with another port: what the system chose.</summary>
    internal AcceleratorAddress WithPort(int port) => new(Transport, Place, port, Pin);

    /// <summary>The same place with a key to know it by.</summary>
    internal AcceleratorAddress WithPin(string pin) => new(Transport, Place, Port, pin);

    private static bool IsPath(string path) =>
        path.Length > 1 && path[0] == '/' && !path.Contains('\0', StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(path) <= MaximumPath;

    private static AcceleratorAddress? ParseTls(string end) => end.Split('#', 2) switch
    {
        [var place] => ParseTcp(AcceleratorTransport.Tls, place, null),
        [var place, var pin] when pin.Length == PinMark.Length + PinDigits && pin.StartsWith(PinMark, StringComparison.Ordinal) && pin[PinMark.Length..].All(char.IsAsciiHexDigit) =>
            ParseTcp(AcceleratorTransport.Tls, place, pin[PinMark.Length..].ToLowerInvariant()),
        _ => null,
    };

    private static AcceleratorAddress? ParseTcp(AcceleratorTransport transport, string end, string? pin)
    {
        int colon = end.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(end.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return null;
        string host = end[..colon];
        if (host is ['[', .. var inner, ']'])
            return IPAddress.TryParse(inner, out IPAddress? v6) && inner.Contains(':', StringComparison.Ordinal) ? new(transport, v6.ToString(), port, pin) : null;
        return host.Length <= MaximumHost && host.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_') ? new(transport, host, port, pin) : null;
    }
}
