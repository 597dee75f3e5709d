using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using System.Text;

namespace Cloister.Onnx.Model;

/// <summary>
/// Reads one protobuf message, field by field: https://protobuf.dev/programming-guides/encoding/.
/// Children share the budget, so that a few bytes cannot ask for many objects. Slices point into the caller's memory.
/// </summary>
internal sealed class ProtoReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlyMemory<byte> _message;
    private readonly Budget _budget;
    private readonly int _depth;
    private int _at;
    private int _fieldStart;
    private int _field;
    private WireType _wireType;
    private ulong _seen;
    private List<ReadOnlyMemory<byte>>? _unknown;

    public ProtoReader(ReadOnlyMemory<byte> message, OnnxModelLimits limits)
        : this(message, new Budget(limits), depth: 1)
    {
    }

    private ProtoReader(ReadOnlyMemory<byte> message, Budget budget, int depth)
    {
        _message = message;
        _budget = budget;
        _depth = depth;
    }

    private enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    /// <summary>The bytes of the whole message, for a writer that finds it unchanged.</summary>
    public ReadOnlyMemory<byte> Origin => _message;

    /// <summary>Moves to the next field; its value must then be read, or kept as unknown.</summary>
    public bool Next(out int field)
    {
        if (_at == _message.Length)
        {
            field = 0;
            return false;
        }

        _fieldStart = _at;
        ulong tag = Varint();
        if (tag > uint.MaxValue || tag >> 3 == 0)
            throw new OnnxModelException(OnnxModelError.BadTag, $"Field number {tag >> 3} does not exist in protobuf.");
        _wireType = (WireType)(tag & 7);
        if (_wireType is not (WireType.Varint or WireType.Fixed64 or WireType.Bytes or WireType.Fixed32))
            throw new OnnxModelException(OnnxModelError.BadTag, $"Field {tag >> 3} has wire type {tag & 7}, which ONNX does not use.");
        field = _field = (int)(tag >> 3);
        return true;
    }

    /// <summary>States that the current field, or its alternative <paramref name="slot"/>, may appear once.</summary>
    public ProtoReader Once(int slot = -1)
    {
        ulong bit = 1UL << (slot < 0 ? _field : slot);
        if ((_seen & bit) != 0)
            throw new OnnxModelException(OnnxModelError.DuplicateField, $"Field {_field} appears twice in one message, or beside its alternative.");
        _seen |= bit;
        return this;
    }

    public ReadOnlyMemory<byte> Bytes()
    {
        Expect(WireType.Bytes);
        return LengthDelimited();
    }

    public string Text()
    {
        ReadOnlySpan<byte> bytes = Bytes().Span;
        _budget.Take();
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new OnnxModelException(OnnxModelError.BadText, $"The text in field {_field} is not UTF-8.");
        }
    }

    public long Int64()
    {
        Expect(WireType.Varint);
        return (long)Varint();
    }

    public int Int32()
    {
        long value = Int64();
        return value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new OnnxModelException(OnnxModelError.BadInteger, $"Field {_field} holds {value}, which does not fit 32 bits.");
    }

    public float Float()
    {
        Expect(WireType.Fixed32);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)).Span);
    }

    public T Message<T>(Func<ProtoReader, T> read)
        where T : OnnxMessage
    {
        ReadOnlyMemory<byte> body = Bytes();
        _budget.Take();
        if (_depth >= _budget.Limits.MaxDepth)
            throw new OnnxModelException(OnnxModelError.TooDeep, $"Messages are nested deeper than {_budget.Limits.MaxDepth}.");
        return read(new ProtoReader(body, _budget, _depth + 1));
    }

    /// <summary>Appends one value, or a packed run of them: protobuf readers take both.</summary>
    public void Int64s(ImmutableArray<long>.Builder into)
    {
        if (_wireType == WireType.Varint)
        {
            into.Add((long)Varint());
            return;
        }

        for (var run = new ProtoReader(Bytes(), _budget, _depth); run._at < run._message.Length;)
            into.Add((long)run.Varint());
    }

    public void UInt64s(ImmutableArray<ulong>.Builder into)
    {
        if (_wireType == WireType.Varint)
        {
            into.Add(Varint());
            return;
        }

        for (var run = new ProtoReader(Bytes(), _budget, _depth); run._at < run._message.Length;)
            into.Add(run.Varint());
    }

    public void Int32s(ImmutableArray<int>.Builder into)
    {
        if (_wireType == WireType.Varint)
        {
            into.Add(Int32());
            return;
        }

        for (var run = new ProtoReader(Bytes(), _budget, _depth) { _field = _field }; run._at < run._message.Length;)
            into.Add(run.Int32());
    }

    public void Floats(ImmutableArray<float>.Builder into)
    {
        foreach (uint bits in Run(WireType.Fixed32, sizeof(uint), BinaryPrimitives.ReadUInt32LittleEndian))
            into.Add(BitConverter.UInt32BitsToSingle(bits));
    }

    public void Doubles(ImmutableArray<double>.Builder into)
    {
        foreach (ulong bits in Run(WireType.Fixed64, sizeof(ulong), BinaryPrimitives.ReadUInt64LittleEndian))
            into.Add(BitConverter.UInt64BitsToDouble(bits));
    }

    /// <summary>Keeps the current field byte for byte.</summary>
    public void KeepUnknown()
    {
        _ = _wireType switch
        {
            WireType.Varint => Skip(),
            WireType.Fixed64 => Take(sizeof(ulong)),
            WireType.Fixed32 => Take(sizeof(uint)),
            _ => LengthDelimited(),
        };
        (_unknown ??= []).Add(_message[_fieldStart.._at]);
    }

    /// <summary>All unknown fields, tags included, in their order.</summary>
    public ReadOnlyMemory<byte> Unknown()
    {
        if (_unknown is null)
            return default;
        if (_unknown.Count == 1)
            return _unknown[0];
        byte[] joined = new byte[_unknown.Sum(piece => piece.Length)];
        int at = 0;
        foreach (ReadOnlyMemory<byte> piece in _unknown)
        {
            piece.CopyTo(joined.AsMemory(at));
            at += piece.Length;
        }

        return joined;
    }

    private delegate T Decode<T>(ReadOnlySpan<byte> bytes);

    private IEnumerable<T> Run<T>(WireType single, int size, Decode<T> decode)
        where T : unmanaged, INumber<T>
    {
        ReadOnlyMemory<byte> bytes = _wireType == single ? Take(size) : Bytes();
        if (bytes.Length % size != 0)
            throw new OnnxModelException(OnnxModelError.Truncated, $"The packed numbers in field {_field} end within a number.");
        for (int i = 0; i < bytes.Length; i += size)
            yield return decode(bytes.Span.Slice(i, size));
    }

    private ReadOnlyMemory<byte> Skip()
    {
        Varint();
        return default;
    }

    private void Expect(WireType wanted)
    {
        if (_wireType != wanted)
            throw new OnnxModelException(OnnxModelError.WrongWireType, $"Field {_field} has wire type {(int)_wireType}; onnx.proto says {(int)wanted}.");
    }

    private ReadOnlyMemory<byte> LengthDelimited()
    {
        ulong length = Varint();
        return length <= int.MaxValue
            ? Take((int)length)
            : throw new OnnxModelException(OnnxModelError.Truncated, $"Field {_field} claims {length} bytes.");
    }

    private ReadOnlyMemory<byte> Take(int length)
    {
        if (length > _message.Length - _at)
            throw new OnnxModelException(OnnxModelError.Truncated, $"Field {_field} needs {length} bytes and {_message.Length - _at} are left.");
        ReadOnlyMemory<byte> taken = _message.Slice(_at, length);
        _at += length;
        return taken;
    }

    private ulong Varint()
    {
        ReadOnlySpan<byte> rest = _message.Span[_at..];
        ulong value = 0;
        for (int i = 0; i < rest.Length && i < 10; i++)
        {
            if (i == 9 && rest[i] > 1)
                break;
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] >= 0x80)
                continue;
            _at += i + 1;
            return value;
        }

        throw rest.Length < 10 && (rest.IsEmpty || rest[^1] >= 0x80)
            ? new OnnxModelException(OnnxModelError.Truncated, "The message ends within an integer.")
            : new OnnxModelException(OnnxModelError.BadInteger, "An integer is longer than 64 bits.");
    }

    private sealed class Budget(OnnxModelLimits limits)
    {
        private int _left = limits.MaxMessages;

        public OnnxModelLimits Limits => limits;

        public void Take()
        {
            if (--_left < 0)
                throw new OnnxModelException(OnnxModelError.TooLarge, $"The model holds more than {limits.MaxMessages} messages and texts.");
        }
    }
}
