using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cloister.Coordinator;

/// <summary>An address to listen on, as Go writes it: <c>:4433</c> for every interface, <c>localhost:0</c>, <c>10.0.0.1:4433</c>, <c>[::1]:4433</c>.</summary>
internal static class ListenAddress
{
    public static IPEndPoint Parse(string text, string name)
    {
        int colon = text.LastIndexOf(':');
        if (colon >= 0 && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            string host = text[..colon];
            if (host.Length == 0)
                return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);
            if (host == "localhost")
                return new IPEndPoint(IPAddress.Loopback, port);
            if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address))
                return new IPEndPoint(address, port);
        }
        throw new ArgumentException($"{name}: '{text}' is no address to listen on, such as :4433, localhost:4433 or 10.0.0.1:4433.");
    }
}
