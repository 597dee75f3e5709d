namespace Cloister.Onnx.Tests.Model;

/// <summary>Protobuf fields made by hand, for models that no writer would make.</summary>
internal static class Wire
{
    public static byte[] Varint(int field, ulong value) => [.. Number((ulong)field << 3), .. Number(value)];

    public static byte[] Bytes(int field, ReadOnlySpan<byte> value) => [.. Number((ulong)field << 3 | 2), .. Number((ulong)value.Length), .. value];

    public static byte[] Number(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
