using System.Buffers.Binary;

namespace Cloister.Agent.Network;

/// <summary>Writes rules as nf_tables' expressions (linux/netfilter/nf_tables.h): each loads a value into a register and compares it; the last gives the verdict.</summary>
internal static class PacketRuleWriter
{
    private const int ListElement = 1, ExpressionName = 1, ExpressionData = 2; // NFTA_LIST_ELEM, NFTA_EXPR_*
    private const int DataValue = 1, DataVerdict = 2, VerdictCode = 1; // NFTA_DATA_*, NFTA_VERDICT_CODE
    private const uint VerdictRegister = 0, Register = 1, Accept = 1; // NFT_REG_VERDICT, NFT_REG_1, NF_ACCEPT
    private const uint IncomingInterface = 4, OutgoingInterface = 5, SocketUser = 10, NetworkProtocol = 15, TransportProtocol = 16; // NFT_META_*
    private const uint NetworkHeader = 1, TransportHeader = 2; // NFT_PAYLOAD_*
    private const uint Equal = 0, Unequal = 1; // NFT_CMP_*
    private const byte Ipv4 = 2, Tcp = 6; // NFPROTO_IPV4, IPPROTO_TCP
    private const uint LoopbackIndex = 1, EstablishedState = 2, RelatedState = 4, NewState = 8; // NF_CT_STATE_BIT

    /// <summary>Writes a rule's expressions, acceptance last.</summary>
    public static void Write(NetlinkWriter writer, PacketRule rule)
    {
        switch (rule)
        {
            case PacketRule.Loopback loopback:
                Meta(writer, loopback.Incoming ? IncomingInterface : OutgoingInterface);
                Compare(writer, Equal, Host(LoopbackIndex));
                break;
            case PacketRule.Established:
                State(writer, EstablishedState | RelatedState);
                break;
            case PacketRule.Listen listen:
                TransportIs(writer, listen.Port);
                State(writer, NewState);
                break;
            case PacketRule.Connect connect:
                Meta(writer, NetworkProtocol);
                Compare(writer, Equal, [Ipv4]);
                Payload(writer, NetworkHeader, offset: 16, length: 4); // RFC 791: destination address
                Compare(writer, Equal, connect.To.Address.GetAddressBytes());
                TransportIs(writer, connect.To.Port);
                State(writer, NewState);
                if (connect.RootOnly)
                {
                    Meta(writer, SocketUser);
                    Compare(writer, Equal, Host(0));
                }
                break;
            default:
                throw new ArgumentException("No such rule.", nameof(rule));
        }
        Expression(writer, "immediate", data =>
        {
            data.Number(1, VerdictRegister);
            data.Nest(2, value => value.Nest(DataVerdict, verdict => verdict.Number(VerdictCode, Accept)));
        });
    }

    private static void TransportIs(NetlinkWriter writer, int port)
    {
        Meta(writer, TransportProtocol);
        Compare(writer, Equal, [Tcp]);
        Payload(writer, TransportHeader, offset: 2, length: 2); // RFC 9293: destination port
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)port));
        Compare(writer, Equal, bytes);
    }

    private static void State(NetlinkWriter writer, uint any)
    {
        Expression(writer, "ct", data =>
        {
            data.Number(1, Register);
            data.Number(2, 0); // NFT_CT_STATE
        });
        Expression(writer, "bitwise", data =>
        {
            data.Number(1, Register);
            data.Number(2, Register);
            data.Number(3, sizeof(uint));
            data.Nest(4, mask => mask.Bytes(DataValue, Host(any)));
            data.Nest(5, xor => xor.Bytes(DataValue, Host(0)));
        });
        Compare(writer, Unequal, Host(0));
    }

    private static void Meta(NetlinkWriter writer, uint key) => Expression(writer, "meta", data =>
    {
        data.Number(1, Register);
        data.Number(2, key);
    });

    private static void Payload(NetlinkWriter writer, uint header, uint offset, uint length) => Expression(writer, "payload", data =>
    {
        data.Number(1, Register);
        data.Number(2, header);
        data.Number(3, offset);
        data.Number(4, length);
    });

    private static void Compare(NetlinkWriter writer, uint how, ReadOnlySpan<byte> with)
    {
        byte[] value = with.ToArray();
        Expression(writer, "cmp", data =>
        {
            data.Number(1, Register);
            data.Number(2, how);
            data.Nest(3, content => content.Bytes(DataValue, value));
        });
    }

    private static void Expression(NetlinkWriter writer, string name, Action<NetlinkWriter> body) => writer.Nest(ListElement, element =>
    {
        element.Text(ExpressionName, name);
        element.Nest(ExpressionData, body);
    });

    // Registers hold numbers of the kernel's own in its own order.
    private static byte[] Host(uint value) => BitConverter.GetBytes(value);
}
