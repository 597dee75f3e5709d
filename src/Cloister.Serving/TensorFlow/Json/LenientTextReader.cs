using Cloister.Serving.Engines;
using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>Reads strings, and <c>{"b64": "..."}</c> for bytes, whose base64 may have white space and lack its end.</summary>
internal sealed class LenientTextReader(string name) : ValueReader(name)
{
    private readonly List<byte[]> _values = [];

    public override long Count => _values.Count;

    /// <summary>The bytes of each string, in order.</summary>
    public IReadOnlyList<byte[]> Values => _values;

    /// <summary>Texts for the engine: ONNX Runtime's strings end at a zero character and are UTF-8.</summary>
    /// <exception cref="ServingException">A value is not such a text.</exception>
    public override Tensor ToTensor(long[] shape) => Texts.ToTensor(_values, Name, shape);

    public override void Dispose() => _values.Clear();

    protected override void ReadScalar(ref JsonCursor cursor)
    {
        JsonKind kind = cursor.Peek();
        if (kind == JsonKind.String) _values.Add(cursor.ReadString().ToArray());
        else if (kind == JsonKind.Object) _values.Add(ReadBase64(ref cursor));
        else throw Wrong(ref cursor, "a string", kind);
    }

    protected override long ReadRow(ref JsonCursor cursor)
    {
        long count = 0;
        for (; cursor.NextElement(); count++) ReadScalar(ref cursor);
        return count;
    }

    private byte[] ReadBase64(ref JsonCursor cursor)
    {
        int at = cursor.Position;
        cursor.OpenObject("the value");
        if (!cursor.NextMember(out ReadOnlySpan<byte> member) || !member.SequenceEqual("b64"u8) || cursor.Peek() != JsonKind.String)
            throw Refused("an object must be {\"b64\": \"...\"}", at);
        if (!Base64Bytes.TryDecode(cursor.ReadString(), out byte[] bytes)) throw new ServingException(ServingError.WrongType, "Unable to base64 decode");
        return cursor.NextMember(out _) ? throw Refused("an object must be {\"b64\": \"...\"}", at) : bytes;
    }

    private ServingException Refused(string reason, int at) => new(ServingError.WrongType, $"Input '{Name}': {reason} (byte {at}).");
}
