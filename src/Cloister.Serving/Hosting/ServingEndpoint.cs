using System.Net;
using System.Net.Sockets;

namespace Cloister.Serving;

/// <summary>One address that a server listens on.</summary>
/// <param name="Address">An IP address and port (port 0 takes a free one), or a Unix socket's path.</param>
public sealed record ServingEndpoint(EndPoint Address)
{
    /// <summary>HTTP/2 alone, as gRPC clients without TLS need it; else HTTP/1.1 and, over TLS, HTTP/2.</summary>
    public bool Http2Only { get; init; }

    /// <summary>
    /// Without TLS: nobody can tell then who answers, so only on a loopback address or a Unix socket, for a peer on this machine
    /// that is trusted as much as the server itself.
    /// </summary>
    public bool Plaintext { get; init; }

    /// <exception cref="ArgumentException">It is of an unknown kind, or would be plaintext for other machines.</exception>
    internal void Demand()
    {
        if (Address is UnixDomainSocketEndPoint) return;
        if (Address is not IPEndPoint ip) throw new ArgumentException($"'{Address}' is neither an IP address nor a Unix socket.");
        if (Plaintext && !IPAddress.IsLoopback(ip.Address))
            throw new ArgumentException($"{ip} would be served without TLS to other machines; use TLS there, or a loopback address.");
    }
}
