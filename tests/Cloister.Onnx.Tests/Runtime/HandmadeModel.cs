using System.Runtime.InteropServices;
using System.Text;

namespace Cloister.Onnx.Tests.Runtime;

/// <summary>Writes small ONNX models by hand, field by field of onnx.proto, so that these tests lean on no other code.</summary>
internal sealed class HandmadeModel
{
    private readonly List<byte[]> _nodes = [], _initializers = [], _inputs = [], _outputs = [];

    public static byte[] Relu(int width = 8) => new HandmadeModel().Input("x", 1, -1, width).Node("Relu", ["x"], ["y"]).Output("y", 1, -1, width).ToBytes();

    public HandmadeModel Node(string op, string[] inputs, string[] outputs, params byte[][] attributes)
    {
        _nodes.Add(Join([.. inputs.Select(name => Text(1, name)), .. outputs.Select(name => Text(2, name)), Text(4, op), .. attributes.Select(a => Part(5, a))]));
        return this;
    }

    public HandmadeModel Input(string name, int type, params long[] shape)
    {
        _inputs.Add(Value(name, type, shape));
        return this;
    }

    public HandmadeModel Output(string name, int type, params long[] shape)
    {
        _outputs.Add(Value(name, type, shape));
        return this;
    }

    public HandmadeModel OutputSequence(string name, int type)
    {
        _outputs.Add(Join(Text(1, name), Part(2, Part(4, Part(1, Part(1, Number(1, type)))))));
        return this;
    }

    public HandmadeModel Inline<T>(string name, int type, long[] shape, params T[] values) where T : unmanaged
    {
        _initializers.Add(Join(Tensor(name, type, shape), Part(9, MemoryMarshal.AsBytes(values.AsSpan()).ToArray())));
        return this;
    }

    public HandmadeModel External(string name, int type, long[] shape, string location, long? offset = null, long? length = null)
    {
        _initializers.Add(ExternalBytes(name, type, shape, location, offset, length));
        return this;
    }

    public static byte[] ExternalTensor(string attribute, string name, int type, long[] shape, string location, long? offset = null, long? length = null) =>
        Join(Text(1, attribute), Part(5, ExternalBytes(name, type, shape, location, offset, length)), Number(20, 4));

    private static byte[] ExternalBytes(string name, int type, long[] shape, string location, long? offset, long? length)
    {
        List<byte[]> fields = [Tensor(name, type, shape), Part(13, Entry("location", location))];
        if (offset is { } at)
            fields.Add(Part(13, Entry("offset", at.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        if (length is { } bytes)
            fields.Add(Part(13, Entry("length", bytes.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        fields.Add(Number(14, 1));
        return Join([.. fields]);
    }

    public static byte[] Ints(string name, params long[] values) => Join([Text(1, name), .. values.Select(v => Number(8, v)), Number(20, 7)]);

    public static byte[] Int(string name, long value) => Join(Text(1, name), Number(3, value), Number(20, 2));

    public static byte[] Graph(string name, HandmadeModel body) => Join(Text(1, name), Part(6, body.GraphBytes()), Number(20, 5));

    public byte[] ToBytes(int opset = 17) => Join(Number(1, 8), Part(7, GraphBytes()), Part(8, Number(2, opset)));

    private byte[] GraphBytes() => Join([
        .. _nodes.Select(n => Part(1, n)), Text(2, "g"), .. _initializers.Select(i => Part(5, i)),
        .. _inputs.Select(i => Part(11, i)), .. _outputs.Select(o => Part(12, o))]);

    private static byte[] Tensor(string name, int type, long[] shape) => Join([.. shape.Select(d => Number(1, d)), Number(2, type), Text(8, name)]);

    private static byte[] Entry(string key, string value) => Join(Text(1, key), Text(2, value));

    private static byte[] Value(string name, int type, long[] shape)
    {
        byte[] dims = Join([.. shape.Select(d => Part(1, d < 0 ? Text(2, "n") : Number(1, d)))]);
        return Join(Text(1, name), Part(2, Part(1, Join(Number(1, type), Part(2, dims)))));
    }

    private static byte[] Text(int field, string text) => Part(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Part(int field, byte[] content) => Join(Varint((ulong)(field << 3 | 2)), Varint((ulong)content.Length), content);

    private static byte[] Number(int field, long value) => Join(Varint((ulong)(field << 3)), Varint((ulong)value));

    private static byte[] Varint(ulong value)
    {
        List<byte> bytes = [];
        for (; value >= 128; value >>= 7)
            bytes.Add((byte)(value | 128));
        bytes.Add((byte)value);
        return [.. bytes];
    }

    private static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];
}
