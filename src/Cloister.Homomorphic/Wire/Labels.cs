using System.Buffers.Binary;

namespace Cloister.Homomorphic.Wire;

/// <summary>A label and byte strings joined so that no two lists give the same bytes: each behind its length in 4 bytes, little-endian.</summary>
internal static class Labels
{
    internal static byte[] Join(ReadOnlySpan<byte> label, params ReadOnlySpan<byte[]> parts)
    {
        int size = sizeof(int) + label.Length;
        foreach (byte[] part in parts) size += sizeof(int) + part.Length;
        var joined = new byte[size];
        Span<byte> rest = Append(joined, label);
        foreach (byte[] part in parts) rest = Append(rest, part);
        return joined;
    }

    private static Span<byte> Append(Span<byte> target, ReadOnlySpan<byte> part)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, part.Length);
        part.CopyTo(target[sizeof(int)..]);
        return target[(sizeof(int) + part.Length)..];
    }
}
