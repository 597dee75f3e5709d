using System.Text;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Json;

/// <summary>Reads strings, and TF Serving's <c>{"b64": "..."}</c> for bytes.</summary>
internal sealed class TextReader(string name) : ValueReader(name)
{
    private readonly List<byte[]> _values = [];

    public override long Count => _values.Count;

    /// <summary>The bytes of each string, in order.</summary>
    public IReadOnlyList<byte[]> Values => _values;

    /// <summary>Texts for the engine: ONNX Runtime's strings end at a zero character and are UTF-8.</summary>
    /// <exception cref="ServingException">A value is not such a text.</exception>
    public override Tensor ToTensor(long[] shape)
    {
        var texts = new string[_values.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            if (!System.Text.Unicode.Utf8.IsValid(_values[i]) || _values[i].AsSpan().Contains((byte)0))
                throw new ServingException(ServingError.WrongType, $"Input '{Name}': value {i} is not UTF-8 text without zero characters.");
            texts[i] = Encoding.UTF8.GetString(_values[i]);
        }
        return Tensor.FromTexts(texts, shape);
    }

    public override void Dispose() => _values.Clear();

    protected override void ReadScalar(ref JsonCursor cursor)
    {
        JsonKind kind = cursor.Peek();
        if (kind == JsonKind.String) _values.Add(cursor.ReadString().ToArray());
        else if (kind == JsonKind.Object) _values.Add(Base64Text.ReadObject(ref cursor, Name));
        else throw Wrong(ref cursor, "a string", kind);
    }

    protected override long ReadRow(ref JsonCursor cursor)
    {
        long count = 0;
        for (; cursor.NextElement(); count++) ReadScalar(ref cursor);
        return count;
    }
}
