using System.Buffers.Binary;

namespace Cloister.Attestation.Tpm;

/// <summary>Reads big-endian TPM structures from hostile bytes. The first field that does not fit ends reading; the reader never throws.</summary>
internal ref struct TpmReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly int Remaining => _rest.Length;

    public bool TryBytes(int count, out ReadOnlySpan<byte> field)
    {
        if (count < 0 || _rest.Length < count)
        {
            field = default;
            return false;
        }
        field = _rest[..count];
        _rest = _rest[count..];
        return true;
    }

    public bool TryByte(out byte value)
    {
        bool read = TryBytes(sizeof(byte), out ReadOnlySpan<byte> field);
        value = read ? field[0] : (byte)0;
        return read;
    }

    public bool TryUInt16(out ushort value)
    {
        bool read = TryBytes(sizeof(ushort), out ReadOnlySpan<byte> field);
        value = read ? BinaryPrimitives.ReadUInt16BigEndian(field) : (ushort)0;
        return read;
    }

    public bool TryUInt32(out uint value)
    {
        bool read = TryBytes(sizeof(uint), out ReadOnlySpan<byte> field);
        value = read ? BinaryPrimitives.ReadUInt32BigEndian(field) : 0;
        return read;
    }

    public bool TryUInt64(out ulong value)
    {
        bool read = TryBytes(sizeof(ulong), out ReadOnlySpan<byte> field);
        value = read ? BinaryPrimitives.ReadUInt64BigEndian(field) : 0;
        return read;
    }

    public bool TryAlgorithm(out TpmAlgorithm algorithm)
    {
        bool read = TryUInt16(out ushort value);
        algorithm = (TpmAlgorithm)value;
        return read;
    }

    /// <summary>Reads a TPM2B: a 2-byte size, then that many bytes.</summary>
    public bool TrySized(out ReadOnlySpan<byte> field)
    {
        field = default;
        return TryUInt16(out ushort size) && TryBytes(size, out field);
    }
}
