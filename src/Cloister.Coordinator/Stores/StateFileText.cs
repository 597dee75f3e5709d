using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Cloister.Coordinator.Stores;

/// <summary>Names, numbers and values in a state file.</summary>
internal static class StateFileText
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static void Write(ArrayBufferWriter<byte> writer, uint number)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(writer.GetSpan(4), number);
        writer.Advance(4);
    }

    public static void Write(ArrayBufferWriter<byte> writer, long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(writer.GetSpan(8), number);
        writer.Advance(8);
    }

    public static void WriteName(ArrayBufferWriter<byte> writer, string name)
    {
        int length = Encoding.UTF8.GetByteCount(name);
        Span<byte> span = writer.GetSpan(2 + length);
        BinaryPrimitives.WriteUInt16LittleEndian(span, checked((ushort)length));
        Encoding.UTF8.GetBytes(name, span[2..]);
        writer.Advance(2 + length);
    }

    public static string ReadName(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2)
            throw CutOff();
        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        if (length is 0 or > StoreTransaction.MaxKeyBytes || length > rest.Length - 2)
            throw StateFile.Corrupt("a record's name is impossible");
        try
        {
            string name = StrictUtf8.GetString(rest.Slice(2, length));
            rest = rest[(2 + length)..];
            return name;
        }
        catch (DecoderFallbackException)
        {
            throw StateFile.Corrupt("a record's name is no text");
        }
    }

    public static long ReadNumber(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 8)
            throw CutOff();
        long number = BinaryPrimitives.ReadInt64LittleEndian(rest);
        rest = rest[8..];
        return number;
    }

    public static ReadOnlySpan<byte> ReadValue(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 4)
            throw CutOff();
        int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length is < 0 or > StoreTransaction.MaxValueBytes || length > rest.Length - 4)
            throw StateFile.Corrupt("a record's numbers are impossible");
        ReadOnlySpan<byte> value = rest.Slice(4, length);
        rest = rest[(4 + length)..];
        return value;
    }

    private static StoreException CutOff() => StateFile.Corrupt("a record is cut off");
}
