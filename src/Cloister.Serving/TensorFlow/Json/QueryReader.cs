using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>Reads an encrypted query: TF Serving's way for bytes, <c>{"b64": "..."}</c>, alone or as the only item of a list.</summary>
internal sealed class QueryReader(string name, TensorPool pool) : ValueReader(name)
{
    private byte[]? _query;

    public override long Count => _query?.Length ?? 0;

    /// <summary>The query; the reader must not be used afterwards.</summary>
    public Tensor ToTensor()
    {
        byte[] query = _query ?? throw new ServingException(ServingError.WrongShape, $"Input '{Name}' wants one query, not none.");
        var tensor = new Tensor(TensorElementType.UInt8, [query.Length], pool.Rent(Math.Max(1, query.Length)));
        query.CopyTo(tensor.Bytes);
        return tensor;
    }

    public override Tensor ToTensor(long[] shape) => ToTensor();

    public override void Dispose() => _query = null;

    protected override long ReadRow(ref JsonCursor cursor)
    {
        long count = 0;
        for (; cursor.NextElement(); count++) ReadScalar(ref cursor);
        return count;
    }

    protected override void ReadScalar(ref JsonCursor cursor)
    {
        int at = cursor.Position;
        if (cursor.Peek() != JsonKind.Object) throw Wrong(ref cursor, "{\"b64\": \"...\"}", cursor.Peek());
        if (_query is not null) throw Ragged("one query a request is answered: put more rows into it", at);
        _query = Base64Text.ReadObject(ref cursor, Name);
    }
}
