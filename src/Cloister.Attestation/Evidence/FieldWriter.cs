using System.Buffers;
using System.Buffers.Binary;

namespace Cloister.Attestation;

/// <summary>Writes little-endian fields; the counterpart of <see cref="FieldReader"/>.</summary>
internal sealed class FieldWriter
{
    private readonly ArrayBufferWriter<byte> _output = new();

    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    public FieldWriter Raw(ReadOnlySpan<byte> bytes)
    {
        _output.Write(bytes);
        return this;
    }

    public FieldWriter UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_output.GetSpan(sizeof(ushort)), checked((ushort)value));
        _output.Advance(sizeof(ushort));
        return this;
    }

    public FieldWriter Prefixed(ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_output.GetSpan(sizeof(uint)), (uint)field.Length);
        _output.Advance(sizeof(uint));
        return Raw(field);
    }

    public byte[] ToArray() => _output.WrittenSpan.ToArray();
}
