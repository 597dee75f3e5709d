using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Json;

/// <summary>
/// Collects the values of one tensor from one or more JSON values (a scalar, or lists nested to any even depth), which must all
/// have the same shape: TF Serving's row format gives a tensor item by item.
/// </summary>
internal abstract class ValueReader(string name) : IDisposable
{
    /// <summary>No tensor has more dimensions.</summary>
    public const int MaximumRank = 16;

    private readonly long[] _dimensions = new long[MaximumRank];
    private int _rank = -1;
    private int _known; // one bit a dimension, once its first list has been read

    /// <summary>The tensor's name, for messages.</summary>
    protected string Name { get; } = name;

    /// <summary>How many values were read.</summary>
    public int Items { get; private set; }

    /// <summary>The shape of each value: empty for scalars.</summary>
    public ReadOnlySpan<long> ItemShape => _dimensions.AsSpan(0, Math.Max(0, _rank));

    /// <summary>How many elements were read.</summary>
    public abstract long Count { get; }

    /// <summary>A reader for elements of the type; <paramref name="maximum"/> elements may come.</summary>
    public static ValueReader For(TensorElementType type, string name, TensorPool pool, long expected, long maximum) => type switch
    {
        TensorElementType.Float => new NumberReader<float, SingleElement>(type, name, pool, expected, maximum),
        TensorElementType.Double => new NumberReader<double, DoubleElement>(type, name, pool, expected, maximum),
        TensorElementType.Float16 => new NumberReader<Half, HalfElement>(type, name, pool, expected, maximum),
        TensorElementType.BFloat16 => new NumberReader<BFloat16, BFloat16Element>(type, name, pool, expected, maximum),
        TensorElementType.Int8 => new NumberReader<sbyte, IntegerElement<sbyte>>(type, name, pool, expected, maximum),
        TensorElementType.Int16 => new NumberReader<short, IntegerElement<short>>(type, name, pool, expected, maximum),
        TensorElementType.Int32 => new NumberReader<int, IntegerElement<int>>(type, name, pool, expected, maximum),
        TensorElementType.Int64 => new NumberReader<long, IntegerElement<long>>(type, name, pool, expected, maximum),
        TensorElementType.UInt8 => new NumberReader<byte, IntegerElement<byte>>(type, name, pool, expected, maximum),
        TensorElementType.UInt16 => new NumberReader<ushort, IntegerElement<ushort>>(type, name, pool, expected, maximum),
        TensorElementType.UInt32 => new NumberReader<uint, IntegerElement<uint>>(type, name, pool, expected, maximum),
        TensorElementType.UInt64 => new NumberReader<ulong, IntegerElement<ulong>>(type, name, pool, expected, maximum),
        TensorElementType.Bool => new NumberReader<bool, BooleanElement>(type, name, pool, expected, maximum),
        TensorElementType.String => new TextReader(name),
        _ => throw new ServingException(ServingError.Unsupported, $"Input '{name}' has elements of type {type}, which cannot be sent."),
    };

    /// <summary>Reads one value.</summary>
    /// <exception cref="ServingException">It is not JSON, not of the type, ragged, or not of the first value's shape.</exception>
    public void Read(ref JsonCursor cursor)
    {
        ReadLevel(ref cursor, 0);
        Items++;
    }

    /// <summary>The tensor; the reader must not be used afterwards.</summary>
    public abstract Tensor ToTensor(long[] shape);

    public abstract void Dispose();

    /// <summary>Reads elements and the closing bracket of their list; gives their number.</summary>
    protected abstract long ReadRow(ref JsonCursor cursor);

    /// <summary>Reads one element that stands in no list.</summary>
    protected abstract void ReadScalar(ref JsonCursor cursor);

    /// <summary>Whether the value at hand is one element rather than a list of them.</summary>
    protected virtual bool IsElement(JsonKind kind) => kind != JsonKind.Array;

    protected ServingException Wrong(ref JsonCursor cursor, string expected, JsonKind found) => found == JsonKind.End
        ? cursor.Malformed("a value was expected")
        : new ServingException(ServingError.WrongType, $"Input '{Name}' wants {expected} where {Describe(found)} stands (byte {cursor.Position}).");

    protected ServingException Ragged(string reason, int at) =>
        new(ServingError.WrongShape, $"Input '{Name}': {reason} (byte {at}).");

    private static string Describe(JsonKind kind) => kind switch
    {
        JsonKind.Object => "an object",
        JsonKind.Array => "a list",
        JsonKind.String => "a string",
        JsonKind.Number => "another number",
        JsonKind.Boolean => "a truth value",
        _ => "null",
    };

    private void ReadLevel(ref JsonCursor cursor, int level)
    {
        JsonKind kind = cursor.Peek();
        int start = cursor.Position;
        if (IsElement(kind))
        {
            DemandLeaf(level, start);
            ReadScalar(ref cursor);
            return;
        }
        if (level >= MaximumRank) throw Ragged($"lists are nested deeper than {MaximumRank} levels", start);
        cursor.OpenArray("the value");
        long length = 0;
        if (cursor.Peek() == JsonKind.Array)
        {
            if (_rank >= 0 && level + 1 >= _rank) throw Ragged($"a list stands where a single value is expected, {level + 1} levels deep", cursor.Position);
            for (; cursor.NextElement(); length++)
            {
                if (cursor.Peek() != JsonKind.Array) throw Ragged($"a single value stands where a list is expected, {level + 1} levels deep", cursor.Position);
                ReadLevel(ref cursor, level + 1);
            }
        }
        else
        {
            DemandLeaf(level + 1, start);
            length = ReadRow(ref cursor);
        }
        if ((_known & (1 << level)) == 0) _dimensions[level] = length;
        else if (_dimensions[level] != length) throw Ragged($"a list has {length} values where others have {_dimensions[level]}", start);
        _known |= 1 << level;
    }

    private void DemandLeaf(int level, int at)
    {
        if (_rank < 0) _rank = level;
        else if (_rank != level) throw Ragged($"values stand {level} levels deep where others stand {_rank}", at);
    }
}
