using System.Buffers.Binary;
using System.Text;

namespace Cloister.Onnx.Model;

/// <summary>
/// Writes protobuf in ascending field order, as the reference implementations do. Without a buffer it only counts, because a
/// message's length stands before it.
/// </summary>
internal sealed class ProtoWriter(byte[]? buffer, bool useOrigins)
{
    private int _at;

    public int Length => _at;

    public static byte[] Serialize(OnnxMessage message, bool useOrigins)
    {
        var counter = new ProtoWriter(null, useOrigins);
        counter.Body(message);
        // Weights are in it: the collector must leave no copies behind for whoever zeroes it.
        byte[] bytes = GC.AllocateArray<byte>(counter._at, pinned: true);
        new ProtoWriter(bytes, useOrigins).Body(message);
        return bytes;
    }

    public void Text(int field, string value)
    {
        if (value.Length > 0)
            PresentText(field, value);
    }

    public void PresentText(int field, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Start(field, length);
        if (buffer is not null)
            Encoding.UTF8.GetBytes(value, buffer.AsSpan(_at, length));
        _at += length;
    }

    public void Texts(int field, IEnumerable<string> values)
    {
        foreach (string value in values)
            PresentText(field, value);
    }

    public void Bytes(int field, ReadOnlyMemory<byte> value)
    {
        Start(field, value.Length);
        Raw(value);
    }

    public void Raw(ReadOnlyMemory<byte> value)
    {
        if (buffer is not null)
            value.CopyTo(buffer.AsMemory(_at));
        _at = checked(_at + value.Length);
    }

    /// <summary>An integer field; absent where null.</summary>
    public void Int64(int field, long? value)
    {
        if (value is not { } present)
            return;
        Varint((ulong)field << 3);
        Varint((ulong)present);
    }

    public void Int64s(int field, IEnumerable<long> values)
    {
        foreach (long value in values)
            Int64(field, value);
    }

    public void Float(int field, float value)
    {
        Varint((ulong)field << 3 | 5);
        Fixed32(value);
    }

    public void Message(int field, OnnxMessage? message)
    {
        if (message is null)
            return;
        var counter = new ProtoWriter(null, useOrigins);
        counter.Body(message);
        Start(field, counter._at);
        if (buffer is null)
            _at = checked(_at + counter._at);
        else
            Body(message);
    }

    public void Messages(int field, IEnumerable<OnnxMessage> messages)
    {
        foreach (OnnxMessage message in messages)
            Message(field, message);
    }

    public void PackedVarints(int field, IReadOnlyCollection<ulong> values)
    {
        if (values.Count == 0)
            return;
        var counter = new ProtoWriter(null, useOrigins);
        foreach (ulong value in values)
            counter.Varint(value);
        Start(field, counter._at);
        foreach (ulong value in values)
            Varint(value);
    }

    public void PackedFloats(int field, IReadOnlyCollection<float> values)
    {
        if (values.Count == 0)
            return;
        Start(field, checked(values.Count * sizeof(float)));
        foreach (float value in values)
            Fixed32(value);
    }

    public void PackedDoubles(int field, IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
            return;
        Start(field, checked(values.Count * sizeof(double)));
        foreach (double value in values)
        {
            if (buffer is not null)
                BinaryPrimitives.WriteDoubleLittleEndian(buffer.AsSpan(_at), value);
            _at += sizeof(double);
        }
    }

    private void Body(OnnxMessage message)
    {
        if (useOrigins && message.Origin is { } origin)
        {
            Raw(origin);
            return;
        }

        message.WriteFields(this);
        Raw(message.UnknownFields);
    }

    private void Start(int field, int length)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)length);
    }

    private void Fixed32(float value)
    {
        if (buffer is not null)
            BinaryPrimitives.WriteSingleLittleEndian(buffer.AsSpan(_at), value);
        _at = checked(_at + sizeof(float));
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Byte((byte)(value | 0x80));
        Byte((byte)value);
    }

    private void Byte(byte value)
    {
        if (buffer is not null)
            buffer[_at] = value;
        _at = checked(_at + 1);
    }
}
