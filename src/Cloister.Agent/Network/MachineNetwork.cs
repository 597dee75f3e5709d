using System.Globalization;
using System.Net;
using Cloister.Images;

namespace Cloister.Agent.Network;

/// <summary>Closes the machine's network, then opens what its definition declares.</summary>
internal static class MachineNetwork
{
    private const string Loopback = "lo", Card = "eth0", Coordinator = "coordinator";

    /// <summary>Installs the filter, before any interface is up.</summary>
    /// <exception cref="Interop.KernelException">The kernel takes no such filter.</exception>
    public static void Close(NetworkRules network) => PacketFilter.Install(Rules(network));

    /// <summary>Starts loopback, and the card if the image has anything to do with it.</summary>
    /// <exception cref="Interop.KernelException">An interface is missing.</exception>
    public static void Open(ImageDefinition definition)
    {
        Interfaces.Raise(Loopback);
        NetworkRules network = definition.Network;
        if (network.Listen.IsEmpty && network.Connect.IsEmpty && !AgentConnects(definition)) return;
        string[] address = network.Address.Split('/');
        Interfaces.Configure(Card, IPAddress.Parse(address[0]), int.Parse(address[1], CultureInfo.InvariantCulture), network.Gateway.Length == 0 ? null : IPAddress.Parse(network.Gateway));
    }

    /// <summary>Whether the agent itself asks a coordinator.</summary>
    public static bool AgentConnects(ImageDefinition definition) => definition.Entries.Values.Any(entry => entry.Activation == EntryActivation.Agent);

    /// <summary>What the definition lets through from the beginning; the coordinator's address is known later.</summary>
    internal static List<PacketRule> Rules(NetworkRules network) =>
    [
        new PacketRule.Loopback(Incoming: true),
        new PacketRule.Loopback(Incoming: false),
        new PacketRule.Established(Incoming: true),
        new PacketRule.Established(Incoming: false),
        .. network.Listen.Select(port => new PacketRule.Listen(port)),
        .. network.Connect.Where(place => place != Coordinator).Select(place => new PacketRule.Connect(IPEndPoint.Parse(place))),
    ];
}
