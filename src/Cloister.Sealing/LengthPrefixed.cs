using System.Buffers.Binary;

namespace Cloister.Sealing;

/// <summary>What is hashed, signed or derived from together: a label, then parts, each behind its length as 4 bytes little-endian, so that no two lists of parts give the same bytes.</summary>
internal static class LengthPrefixed
{
    public static byte[] Join(ReadOnlySpan<byte> label, params ReadOnlySpan<byte[]> parts)
    {
        int size = 4 + label.Length;
        foreach (byte[] part in parts)
            size = checked(size + 4 + part.Length);
        byte[] joined = new byte[size];
        int at = Put(joined, 0, label);
        foreach (byte[] part in parts)
            at = Put(joined, at, part);
        return joined;
    }

    private static int Put(byte[] joined, int at, ReadOnlySpan<byte> part)
    {
        BinaryPrimitives.WriteInt32LittleEndian(joined.AsSpan(at), part.Length);
        part.CopyTo(joined.AsSpan(at + 4));
        return at + 4 + part.Length;
    }
}
