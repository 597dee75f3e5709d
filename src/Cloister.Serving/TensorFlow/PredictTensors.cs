using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>The tensors of a request while they are read: row format brings them item by item.</summary>
internal sealed class PredictTensors(ServedModel model, TensorPool pool) : IDisposable
{
    private const long ExpectedWhereFree = 1024;

    private readonly ValueReader?[] _readers = new ValueReader?[model.Engine.Inputs.Count];
    private bool _single;

    /// <summary>How many items there are, once they are read.</summary>
    public long Items { get; private set; }

    /// <summary>Reads the value of the model's only input.</summary>
    /// <exception cref="ServingException">The model has several, or the value does not fit.</exception>
    public void ReadOnly(ref JsonCursor cursor, string what)
    {
        if (_readers.Length != 1) throw cursor.Invalid($"{what}, but the model has {_readers.Length} inputs: name them in objects");
        _single = true;
        Reader(0, ref cursor).Read(ref cursor);
        Items = _readers[0]!.ItemShape is { Length: > 0 } shape ? shape[0] : 1;
    }

    /// <summary>Reads the value of a named input, for the item at hand.</summary>
    /// <exception cref="ServingException">There is no such input, or the value does not fit.</exception>
    public void Read(ref JsonCursor cursor, string name)
    {
        int index = model.IndexOfInput(name);
        ValueReader reader = Reader(index, ref cursor);
        if (reader.Items > Items) throw cursor.Invalid($"input '{name}' stands there twice");
        reader.Read(ref cursor);
    }

    /// <summary>Ends an item, which must have brought every input.</summary>
    /// <exception cref="ServingException">An input is missing.</exception>
    public void EndItem(int item, int at)
    {
        Items++;
        for (int i = 0; i < _readers.Length; i++)
            if (_readers[i] is not { } reader || reader.Items < Items)
                throw new ServingException(ServingError.MissingInput, $"Item {item} lacks the input '{model.Engine.Inputs[i].Name}' (byte {at}).");
    }

    /// <summary>Makes the tensors, in the model's order.</summary>
    /// <param name="inputs">Where they go.</param>
    /// <param name="row">Whether each value read by name was one item of a batch.</param>
    /// <exception cref="ServingException">A tensor is not of the model's shape.</exception>
    public void MoveTo(Tensor?[] inputs, bool row)
    {
        for (int i = 0; i < _readers.Length; i++)
        {
            ValueReader reader = _readers[i]!;
            long[] shape = row && !_single ? [Items, .. reader.ItemShape] : [.. reader.ItemShape];
            TensorInfo declared = model.Engine.Inputs[i];
            if (reader is QueryReader query)
            {
                inputs[i] = query.ToTensor();
                continue;
            }
            if (declared.Type != TensorElementType.String && reader is LenientTextReader pictures)
            {
                inputs[i] = model.Picture!.ToTensor(pictures.Values, pool);
                continue;
            }
            if (declared.Mismatch(declared.Type, shape) is not null)
                throw new ServingException(ServingError.WrongShape, $"Input '{declared.Name}' takes shape {TensorShapes.Text([.. declared.Shape])}, not {TensorShapes.Text(shape)}.");
            inputs[i] = reader.ToTensor(shape);
        }
    }

    public void Dispose()
    {
        foreach (ValueReader? reader in _readers) reader?.Dispose();
    }

    private ValueReader Reader(int index, ref JsonCursor cursor)
    {
        if (_readers[index] is { } known) return known;
        TensorInfo declared = model.Engine.Inputs[index];
        if (model.Engine is IQueryEngine && cursor.PeekLeaf() == JsonKind.Object) return _readers[index] = new QueryReader(declared.Name, pool);
        bool picture = model.Picture?.Index == index && cursor.PeekLeaf() == JsonKind.Object;
        TensorElementType type = picture ? TensorElementType.String : declared.Type;
        bool isFree = declared.Shape.Any(dimension => dimension < 0);
        long expected = isFree ? ExpectedWhereFree : TensorShapes.Elements([.. declared.Shape]) ?? ExpectedWhereFree;
        // Each element takes at least two bytes of the body: itself and what follows it.
        long most = cursor.Rest.Length / 2 + 1;
        return _readers[index] = type switch
        {
            TensorElementType.Float => new NumberReader<float, OverflowingSingle>(type, declared.Name, pool, expected, most),
            TensorElementType.String => new LenientTextReader(declared.Name),
            _ => ValueReader.For(type, declared.Name, pool, expected, most),
        };
    }
}
