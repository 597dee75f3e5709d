using System.Buffers.Binary;
using Cloister.Agent.Interop;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Network;

/// <summary>
/// The machine's own packet filter: one nf_tables table whose three chains drop whatever no rule names. Each call is one transaction: the
/// kernel takes all of it or nothing.
/// </summary>
internal static class PacketFilter
{
    private const int Protocol = 12; // NETLINK_NETFILTER
    private const int BatchBegin = 16, BatchEnd = 17, ErrorMessage = 2; // NFNL_MSG_BATCH_*, NLMSG_ERROR
    private const int Subsystem = 10, NewTable = Subsystem << 8, NewChain = (Subsystem << 8) | 3, NewRule = (Subsystem << 8) | 6; // NFNL_SUBSYS_NFTABLES
    private const int Request = 1, Acknowledge = 4, Create = 0x400, Append = 0x800; // NLM_F_*
    private const byte Inet = 1; // NFPROTO_INET: IPv4 and IPv6
    private const uint Drop = 0; // NF_DROP
    private const string Table = "cloister", Input = "input", Forward = "forward", Output = "output";

    /// <summary>Closes the machine but for <paramref name="rules"/>.</summary>
    /// <exception cref="KernelException">The kernel takes no such filter; nothing was changed.</exception>
    public static void Install(IReadOnlyList<PacketRule> rules)
    {
        var batch = new List<(int Type, int Flags, Action<NetlinkWriter> Body)>
        {
            (NewTable, Create, writer => writer.Text(1, Table)),
            (NewChain, Create, writer => Chain(writer, Input, hook: 1)), // NF_INET_LOCAL_IN
            (NewChain, Create, writer => Chain(writer, Forward, hook: 2)), // NF_INET_FORWARD
            (NewChain, Create, writer => Chain(writer, Output, hook: 3)), // NF_INET_LOCAL_OUT
        };
        batch.AddRange(rules.Select(One));
        Commit(batch);
    }

    /// <summary>Lets one thing more through.</summary>
    /// <exception cref="KernelException">The kernel refuses.</exception>
    public static void Add(PacketRule rule) => Commit([One(rule)]);

    private static (int, int, Action<NetlinkWriter>) One(PacketRule rule) => (NewRule, Create | Append, writer =>
    {
        writer.Text(1, Table);
        writer.Text(2, rule.IsIncoming ? Input : Output);
        writer.Nest(4, expressions => PacketRuleWriter.Write(expressions, rule));
    });

    private static void Chain(NetlinkWriter writer, string name, uint hook)
    {
        writer.Text(1, Table);
        writer.Text(3, name);
        writer.Nest(4, place =>
        {
            place.Number(1, hook);
            place.Number(2, 0); // priority
        });
        writer.Number(5, Drop);
        writer.Text(7, "filter");
    }

    private static void Commit(List<(int Type, int Flags, Action<NetlinkWriter> Body)> batch)
    {
        var writer = new NetlinkWriter();
        writer.Message(BatchBegin, Request, 0, body => body.Raw([0, 0, 0, Subsystem]));
        for (int i = 0; i < batch.Count; i++)
        {
            var (type, flags, content) = batch[i];
            writer.Message(type, Request | Acknowledge | flags, (uint)i + 1, body =>
            {
                body.Raw([Inet, 0, 0, 0]);
                content(body);
            });
        }
        writer.Message(BatchEnd, Request, (uint)batch.Count + 1, body => body.Raw([0, 0, 0, Subsystem]));

        const string What = "The packet filter";
        using SafeFileHandle socket = SocketCalls.Open(SocketCalls.Netlink, SocketCalls.Raw, Protocol, What);
        Span<byte> address = stackalloc byte[12]; // struct sockaddr_nl; the kernel chooses the port
        BinaryPrimitives.WriteUInt16LittleEndian(address, SocketCalls.Netlink);
        KernelException.Check(SocketCalls.bind(socket, address, address.Length), "bind", What);
        nint sent = SocketCalls.send(socket, writer.Written, writer.Written.Length, 0);
        if (sent != writer.Written.Length) throw new KernelException("send", What);
        Answers(socket, batch.Count);
    }

    // One answer a message. The first refusal is the cause; a refused transaction leaves nothing behind.
    private static void Answers(SafeFileHandle socket, int expected)
    {
        Span<byte> buffer = stackalloc byte[16384];
        while (expected > 0)
        {
            nint length = SocketCalls.recv(socket, buffer, buffer.Length, 0);
            if (length <= 0) throw new KernelException("recv", "The packet filter");
            for (Span<byte> rest = buffer[..(int)length]; rest.Length >= 20;)
            {
                int size = BinaryPrimitives.ReadInt32LittleEndian(rest), number = BinaryPrimitives.ReadInt32LittleEndian(rest[16..]);
                if (size < 20 || size > rest.Length || BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]) != ErrorMessage)
                    throw new KernelException("nf_tables", "The packet filter: an answer that is none", 71); // EPROTO
                if (number != 0)
                    throw new KernelException("nf_tables", $"The packet filter, message {BinaryPrimitives.ReadUInt32LittleEndian(rest[8..])}", -number);
                expected--;
                rest = rest[Math.Min(rest.Length, (size + 3) & ~3)..];
            }
        }
    }
}
