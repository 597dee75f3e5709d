using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Cloister.Serving.ProtocolBuffers;

/// <summary>Writes the fields of a protobuf message. What a message inside another one takes is computed beforehand by the <c>Size</c> methods.</summary>
internal static class WireWriter
{
    private const int LongestVarint = 10;

    /// <summary>What an integer takes.</summary>
    public static int SizeOfVarint(ulong value) => (BitOperations.Log2(value | 1) * 9 + 73) / 64;

    /// <summary>What a tag takes.</summary>
    public static int SizeOfTag(int field) => SizeOfVarint((ulong)field << 3);

    /// <summary>What a field of bytes, text or message takes, tag and length included.</summary>
    public static long SizeOfBytes(int field, long length) => SizeOfTag(field) + SizeOfVarint((ulong)length) + length;

    /// <summary>What a field of text takes; nothing if it is empty, as proto3 leaves it out.</summary>
    public static long SizeOfText(int field, string text) => text.Length == 0 ? 0 : SizeOfBytes(field, Encoding.UTF8.GetByteCount(text));

    public static void Varint(IBufferWriter<byte> output, ulong value)
    {
        Span<byte> room = output.GetSpan(LongestVarint);
        int length = 0;
        for (; value >= 0x80; value >>= 7) room[length++] = (byte)(value | 0x80);
        room[length++] = (byte)value;
        output.Advance(length);
    }

    public static void Tag(IBufferWriter<byte> output, int field, WireType type) => Varint(output, ((ulong)field << 3) | (uint)type);

    /// <summary>The beginning of a field of bytes or of a message; <paramref name="length"/> bytes must follow.</summary>
    public static void BytesHeader(IBufferWriter<byte> output, int field, long length)
    {
        Tag(output, field, WireType.Bytes);
        Varint(output, (ulong)length);
    }

    public static void Bytes(IBufferWriter<byte> output, int field, ReadOnlySpan<byte> bytes)
    {
        BytesHeader(output, field, bytes.Length);
        output.Write(bytes);
    }

    /// <summary>A field of text; nothing if it is empty.</summary>
    public static void Text(IBufferWriter<byte> output, int field, string text)
    {
        if (text.Length == 0) return;
        int length = Encoding.UTF8.GetByteCount(text);
        BytesHeader(output, field, length);
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(length)));
    }

    public static void Fixed32(IBufferWriter<byte> output, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(output.GetSpan(sizeof(uint)), value);
        output.Advance(sizeof(uint));
    }

    public static void Fixed64(IBufferWriter<byte> output, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(output.GetSpan(sizeof(ulong)), value);
        output.Advance(sizeof(ulong));
    }
}
