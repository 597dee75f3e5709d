using System.Net;

namespace Cloister.Agent.Network;

/// <summary>One thing that the packet filter lets through. What no rule names is dropped.</summary>
internal abstract record PacketRule
{
    /// <summary>The machine's own loopback, both ways.</summary>
    public sealed record Loopback(bool Incoming) : PacketRule;

    /// <summary>Answers on connections that another rule let through.</summary>
    public sealed record Established(bool Incoming) : PacketRule;

    /// <summary>New TCP connections to a port of this machine.</summary>
    public sealed record Listen(int Port) : PacketRule;

    /// <summary>New TCP connections from this machine to one place; <paramref name="RootOnly"/>: from the agent, not from programs.</summary>
    public sealed record Connect(IPEndPoint To, bool RootOnly = false) : PacketRule;

    /// <summary>Whether the rule is about what comes in.</summary>
    public bool IsIncoming => this switch
    {
        Loopback loopback => loopback.Incoming,
        Established established => established.Incoming,
        Listen => true,
        _ => false,
    };
}
