using System.Buffers.Binary;

namespace Cloister.Attestation;

/// <summary>Reads little-endian fields from hostile bytes. The first field that does not fit ends reading; the reader never throws.</summary>
internal ref struct FieldReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _rest.Length;

    public bool TryBytes(int count, out ReadOnlySpan<byte> field)
    {
        if (_rest.Length < count)
        {
            field = default;
            return false;
        }
        field = _rest[..count];
        _rest = _rest[count..];
        return true;
    }

    public bool TryUInt16(out ushort value)
    {
        bool read = TryBytes(sizeof(ushort), out ReadOnlySpan<byte> field);
        value = read ? BinaryPrimitives.ReadUInt16LittleEndian(field) : (ushort)0;
        return read;
    }

    /// <summary>Reads a field with a 4-byte length before it. A length over <paramref name="maximum"/> is told apart from missing bytes.</summary>
    public Refusal TryPrefixed(int maximum, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (!TryBytes(sizeof(uint), out ReadOnlySpan<byte> prefix)) return Refusal.EvidenceTruncated;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        if (length > (uint)maximum) return Refusal.EvidenceFieldTooLarge;
        return TryBytes((int)length, out field) ? Refusal.None : Refusal.EvidenceTruncated;
    }
}
