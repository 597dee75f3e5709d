using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Cloister.Bench;

/// <summary>Requests of one float input with the same random values, as JSON, as binary data, and as a gRPC message.</summary>
internal static class InferBodies
{
    public static byte[] Json(string input, long[] shape)
    {
        var text = new StringBuilder($$"""{"id":"1","inputs":[{"name":"{{input}}","datatype":"FP32","shape":[{{string.Join(',', shape)}}],"data":[""");
        float[] values = Values(shape);
        for (int i = 0; i < values.Length; i++)
            text.Append(i == 0 ? "" : ",").Append(values[i].ToString("R", CultureInfo.InvariantCulture));
        return Encoding.ASCII.GetBytes(text.Append("]}]}").ToString());
    }

    /// <summary>The JSON, and the values behind it; outputs are asked for as binary data too.</summary>
    public static (byte[] Body, int Header) Binary(string input, long[] shape)
    {
        byte[] values = Bytes(shape);
        byte[] header = Encoding.ASCII.GetBytes(
            $$$"""{"id":"1","parameters":{"binary_data_output":true},"inputs":[{"name":"{{{input}}}","datatype":"FP32","shape":[{{{string.Join(',', shape)}}}],"parameters":{"binary_data_size":{{{values.Length}}}}}]}""");
        return ([.. header, .. values], header.Length);
    }

    /// <summary><c>inference.ModelInferRequest</c> with raw contents, behind gRPC's prefix of five bytes.</summary>
    public static byte[] Grpc(string input, long[] shape, string model = "model")
    {
        byte[] tensor = [.. Field(1, Encoding.ASCII.GetBytes(input)), .. Field(2, "FP32"u8), .. Field(3, [.. shape.SelectMany(size => Varint((ulong)size))])];
        byte[] message = [.. Field(1, Encoding.ASCII.GetBytes(model)), .. Field(5, tensor), .. Field(7, Bytes(shape))];
        byte[] prefix = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), message.Length);
        return [.. prefix, .. message];
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> content) => [.. Varint((ulong)(number << 3 | 2)), .. Varint((ulong)content.Length), .. content];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value > 0x7F; value >>= 7) bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }

    private static byte[] Bytes(long[] shape)
    {
        float[] values = Values(shape);
        byte[] bytes = new byte[4 * values.Length];
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), values[i]);
        return bytes;
    }

    private static float[] Values(long[] shape)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, checked((int)shape.Aggregate(1L, (product, size) => product * size))).Select(_ => random.NextSingle())];
    }
}
