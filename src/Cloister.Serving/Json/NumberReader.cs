using System.Runtime.CompilerServices;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Json;

/// <summary>Reads numbers straight into the pinned memory that the engine will compute on.</summary>
internal sealed class NumberReader<T, TElement> : ValueReader
    where T : unmanaged
    where TElement : IElement<T>
{
    private readonly TensorElementType _type;
    private readonly TensorPool _pool;
    private readonly long _maximum;
    private TensorBuffer? _buffer;
    private int _count;

    /// <param name="type">The tensor's element type.</param>
    /// <param name="name">The tensor's name, for messages.</param>
    /// <param name="pool">Where the memory comes from.</param>
    /// <param name="expected">How many elements will probably come; room for them is taken at once.</param>
    /// <param name="maximum">No more memory is taken once so many have come.</param>
    public NumberReader(TensorElementType type, string name, TensorPool pool, long expected, long maximum) : base(name)
    {
        _type = type;
        _pool = pool;
        _maximum = maximum;
        _buffer = pool.Rent(Math.Clamp(expected, 1, Math.Max(1, maximum)) * Unsafe.SizeOf<T>());
    }

    public override long Count => _count;

    public override Tensor ToTensor(long[] shape)
    {
        var tensor = new Tensor(_type, shape, _buffer!);
        _buffer = null;
        return tensor;
    }

    public override void Dispose() => _buffer?.Dispose();

    protected override void ReadScalar(ref JsonCursor cursor)
    {
        Span<T> room = _buffer!.Elements<T>();
        if (_count >= room.Length) room = Grow();
        cursor.Advance(ReadOne(ref cursor, cursor.Rest, 0, room));
    }

    protected override long ReadRow(ref JsonCursor cursor)
    {
        ReadOnlySpan<byte> text = cursor.Rest;
        Span<T> room = _buffer!.Elements<T>();
        int at = SkipSpace(text, 0);
        int first = _count;
        if ((uint)at < (uint)text.Length && text[at] == ']')
        {
            cursor.AdvanceOutOfArray(at + 1);
            return 0;
        }
        while (true)
        {
            at = TElement.ReadRun(text, SkipSpace(text, at), room, ref _count);
            at = SkipSpace(text, at);
            if (_count >= room.Length) room = Grow();
            at += ReadOne(ref cursor, text, at, room);
            at = SkipSpace(text, at);
            byte next = (uint)at < (uint)text.Length ? text[at] : (byte)0;
            if (next == ',')
            {
                at++;
                continue;
            }
            cursor.Advance(at);
            if (next != ']') throw cursor.Malformed(at >= text.Length ? "the document ends too early" : "',' or ']' was expected");
            cursor.AdvanceOutOfArray(1);
            return _count - first;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ReadOne(ref JsonCursor cursor, ReadOnlySpan<byte> text, int at, Span<T> room)
    {
        int length = TElement.Read(text[at..], out T value);
        if (length <= 0) throw Refused(ref cursor, at, length);
        room[_count++] = value;
        return length;
    }

    private ServingException Refused(ref JsonCursor cursor, int at, int length)
    {
        cursor.Advance(at);
        return length == 0
            ? Wrong(ref cursor, TElement.Expected, cursor.Peek())
            : new ServingException(ServingError.WrongType, $"Input '{Name}': the number does not fit {TensorTypes.OpenInference(_type)} (byte {cursor.Position}).");
    }

    private Span<T> Grow()
    {
        if (_count >= _maximum) throw new ServingException(ServingError.WrongShape, $"Input '{Name}' has more than {_maximum} values.");
        TensorBuffer larger = _pool.Rent(2L * _buffer!.Capacity);
        _buffer.Elements<T>().CopyTo(larger.Elements<T>());
        _buffer.Dispose();
        _buffer = larger;
        return larger.Elements<T>();
    }

    private static int SkipSpace(ReadOnlySpan<byte> text, int at)
    {
        while ((uint)at < (uint)text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        return at;
    }
}
