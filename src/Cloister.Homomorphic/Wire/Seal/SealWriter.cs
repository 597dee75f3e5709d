using System.Buffers.Binary;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>Writes the members of an object into memory of exactly their size.</summary>
internal ref struct SealWriter(Span<byte> target, SealVersion version)
{
    private Span<byte> _rest = target;

    /// <summary>The length of an array of words, its header included.</summary>
    internal static long ArrayBytes(long words) => SealHeader.Bytes + 8 + words * 8;

    internal Span<byte> Take(int count)
    {
        Span<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    internal void Byte(byte value) => Take(1)[0] = value;

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    internal void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    internal void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(Take(8), value);

    /// <summary>The header of an object within this one.</summary>
    /// <param name="total">The length of that object, the header included.</param>
    internal void Header(long total) => new SealHeader(version, SealCompression.None, total).Write(Take(SealHeader.Bytes));

    /// <summary>Header and count of an array; gives the place of its words.</summary>
    internal Span<byte> Words(int words)
    {
        Header(ArrayBytes(words));
        UInt64((ulong)words);
        return Take(words * 8);
    }
}
