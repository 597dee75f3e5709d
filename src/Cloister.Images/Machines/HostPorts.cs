using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cloister.Images.Machines;

/// <summary>The ports of this computer that lead into a machine.</summary>
internal static partial class HostPorts
{
    /// <summary>Names a port that is in use before anything is started.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.PortInUse"/>.</exception>
    public static void Check(ImmutableArray<PortForward> ports)
    {
        foreach (PortForward port in ports.Where(port => port.Host != 0))
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true); // as QEMU does: a connection's rest is in nobody's way
                probe.Bind(new System.Net.IPEndPoint(port.Address, port.Host));
                probe.Listen();
            }
            catch (SocketException taken)
            {
                throw new ImageException(ImageError.PortInUse, taken.SocketErrorCode == SocketError.AddressAlreadyInUse
                    ? $"Port {port.Host} of {port.Address} is in use. End what listens there, or let a free one be chosen: --port 0:{port.Guest}"
                    : $"Port {port.Host} of {port.Address} cannot be used: {taken.Message}", taken);
            }
        }
    }

    /// <summary>The ports as QEMU opened them: it chose those that were left to it.</summary>
    public static async Task<ImmutableArray<RecordedPort>> ChosenAsync(QmpClient qmp, ImmutableArray<PortForward> asked, CancellationToken cancellation)
    {
        if (asked.IsEmpty)
            return [];
        JsonNode? table = await qmp.ExecuteAsync("human-monitor-command", new JsonObject { ["command-line"] = "info usernet" }, cancellation);
        return Chosen(table?.ToString() ?? "", asked);
    }

    internal static ImmutableArray<RecordedPort> Chosen(string table, ImmutableArray<PortForward> asked)
    {
        List<RecordedPort> open = [.. Forward().Matches(table).Select(line =>
            new RecordedPort(line.Groups[1].Value, int.Parse(line.Groups[2].ValueSpan, CultureInfo.InvariantCulture), int.Parse(line.Groups[3].ValueSpan, CultureInfo.InvariantCulture)))];
        var chosen = ImmutableArray.CreateBuilder<RecordedPort>();
        foreach (PortForward port in asked.OrderBy(port => port.Host == 0))
        {
            RecordedPort found = open.Find(one => one.Guest == port.Guest && (port.Host == 0 || one.Host == port.Host))
                ?? throw new ImageException(ImageError.MachineEnded, $"QEMU does not say which port of this computer leads to port {port.Guest}.");
            open.Remove(found);
            chosen.Add(found with { Address = port.Address.ToString() });
        }
        return chosen.ToImmutable();
    }

    [GeneratedRegex(@"TCP\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)")]
    private static partial Regex Forward();
}
