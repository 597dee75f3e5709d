using System.Globalization;
using System.Net;

namespace Cloister.Images.Machines;

/// <summary>A port of this computer that leads to one of the machine.</summary>
/// <param name="Address">The address of this computer that listens.</param>
/// <param name="Host">Its port; 0: one that is free.</param>
/// <param name="Guest">The machine's port.</param>
public sealed record PortForward(IPAddress Address, int Host, int Guest)
{
    /// <summary>Reads <c>[address:]host:guest</c>; without an address, 127.0.0.1.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.MachineOptionInvalid"/>.</exception>
    public static PortForward Parse(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length is 2 or 3 &&
            IPAddress.TryParse(parts.Length == 3 ? parts[0] : "127.0.0.1", out IPAddress? address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork &&
            ushort.TryParse(parts[^2], NumberStyles.None, CultureInfo.InvariantCulture, out ushort host) &&
            ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort guest) && guest != 0)
            return new PortForward(address, host, guest);
        throw new ImageException(ImageError.MachineOptionInvalid, $"'{text}' is not a port: write HOST:GUEST as in 8443:443, 0:443 for a free one, or 0.0.0.0:8443:443 for all addresses.");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Host}:{Guest}");
}
