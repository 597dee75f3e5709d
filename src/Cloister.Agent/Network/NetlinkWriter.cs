using System.Buffers.Binary;
using System.Text;

namespace Cloister.Agent.Network;

/// <summary>Writes netlink messages (netlink(7)): a header of 16 bytes, then attributes of type and length, each padded to four bytes. The host's byte order, x64's.</summary>
internal sealed class NetlinkWriter
{
    private const int HeaderLength = 16, AttributeLength = 4, Nested = 0x8000; // NLA_F_NESTED
    private byte[] _bytes = new byte[4096];
    private int _length;

    /// <summary>What was written so far.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Writes one message; <paramref name="body"/> writes what follows its header.</summary>
    public void Message(int type, int flags, uint sequence, Action<NetlinkWriter> body)
    {
        int start = _length;
        Span<byte> header = Take(HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], checked((ushort)type));
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], checked((ushort)flags));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], sequence);
        body(this);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(start), _length - start);
    }

    /// <summary>Writes bytes as they are; their number must be a multiple of four.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % 4 != 0) throw new ArgumentException("Netlink is made of words of four bytes.", nameof(bytes));
        bytes.CopyTo(Take(bytes.Length));
    }

    /// <summary>An attribute that holds bytes.</summary>
    public void Bytes(int type, ReadOnlySpan<byte> value)
    {
        Span<byte> attribute = Take(AttributeLength + value.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, checked((ushort)(AttributeLength + value.Length)));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], checked((ushort)type));
        value.CopyTo(attribute[AttributeLength..]);
        Take(-value.Length & 3);
    }

    /// <summary>An attribute that holds a number in network order, as nf_tables wants its own.</summary>
    public void Number(int type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Bytes(type, bytes);
    }

    /// <summary>An attribute that holds text, with a zero byte behind it.</summary>
    public void Text(int type, string value) => Bytes(type, Encoding.ASCII.GetBytes(value + '\0'));

    /// <summary>An attribute that holds attributes.</summary>
    public void Nest(int type, Action<NetlinkWriter> body)
    {
        int start = _length;
        BinaryPrimitives.WriteUInt16LittleEndian(Take(AttributeLength)[2..], checked((ushort)(type | Nested)));
        body(this);
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(start), checked((ushort)(_length - start)));
    }

    private Span<byte> Take(int count)
    {
        if (_length + count > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        Span<byte> taken = _bytes.AsSpan(_length, count);
        _length += count;
        return taken;
    }
}
