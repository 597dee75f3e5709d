using System.Runtime.InteropServices;
using Cloister.Onnx.Runtime;

namespace Cloister.Serving.Engines;

/// <summary>A tensor on its way into or out of an engine: dense elements in row-major order, or texts.</summary>
public sealed class Tensor : IDisposable
{
    private readonly TensorBuffer? _buffer;
    private OrtTensor? _native;
    private readonly SharedTensor? _whole;
    private readonly int _byteOffset;
    private readonly string[]? _texts;
    private readonly long[] _shape;
    private readonly int _byteLength;

    internal Tensor(TensorElementType type, long[] shape, TensorBuffer buffer)
        : this(type, shape)
    {
        _buffer = buffer;
        _byteLength = (int)type.ByteLength(ElementCount);
    }

    /// <summary>A tensor that ONNX Runtime allocated; this one disposes it.</summary>
    internal Tensor(OrtTensor native)
        : this(native.Type, native.Shape.ToArray())
    {
        if (native.Type == TensorElementType.String) _texts = native.ReadStrings();
        else _native = native;
        if (_texts is not null) native.Dispose();
    }

    private Tensor(TensorElementType type, long[] shape)
    {
        Type = type;
        _shape = shape;
        ElementCount = 1;
        foreach (long dimension in shape) ElementCount = checked(ElementCount * dimension);
    }

    private Tensor(SharedTensor whole, long[] shape, int byteOffset)
        : this(whole.Tensor.Type, shape)
    {
        _whole = whole;
        _byteOffset = byteOffset;
        _byteLength = (int)Type.ByteLength(ElementCount);
    }

    private Tensor(long[] shape, string[] texts)
        : this(TensorElementType.String, shape) => _texts = texts;

    /// <summary>The type of its elements.</summary>
    public TensorElementType Type { get; }

    /// <summary>Its dimensions; none for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The number of its elements.</summary>
    public long ElementCount { get; }

    /// <summary>The bytes of its elements, in the machine's order; empty for texts. Not to be touched after <see cref="Dispose"/>.</summary>
    public Span<byte> Bytes =>
        _buffer is not null ? _buffer.Span(_byteLength) : _native is not null ? _native.Bytes : _whole is not null ? _whole.Tensor.Bytes.Slice(_byteOffset, _byteLength) : default;

    /// <summary>Its texts; empty for numbers.</summary>
    public ReadOnlySpan<string> Texts => _texts;

    /// <summary>A tensor of numbers, copied.</summary>
    /// <exception cref="ArgumentException">The shape does not have as many elements as are given.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> elements, params ReadOnlySpan<long> shape) where T : unmanaged
    {
        // A pool of its own that keeps nothing: the memory is freed with the tensor.
        TensorBuffer buffer = new TensorPool(0).Rent(Marshal.SizeOf<T>() * (long)Math.Max(1, elements.Length));
        var tensor = new Tensor(TensorElementTypes.Of<T>(), shape.ToArray(), buffer);
        if (tensor.ElementCount != elements.Length)
        {
            tensor.Dispose();
            throw new ArgumentException($"The shape has {tensor.ElementCount} elements, {elements.Length} are given.", nameof(shape));
        }
        elements.CopyTo(tensor.Elements<T>());
        return tensor;
    }

    /// <summary>A tensor of texts.</summary>
    /// <exception cref="ArgumentException">The shape does not have as many elements as are given.</exception>
    public static Tensor FromTexts(string[] texts, params ReadOnlySpan<long> shape)
    {
        var tensor = new Tensor(shape.ToArray(), texts);
        return tensor.ElementCount == texts.Length
            ? tensor
            : throw new ArgumentException($"The shape has {tensor.ElementCount} elements, {texts.Length} are given.", nameof(shape));
    }

    /// <summary>Its elements. Not to be touched after <see cref="Dispose"/>.</summary>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    public Span<T> Elements<T>() where T : unmanaged => TensorElementTypes.Of<T>() == Type
        ? MemoryMarshal.Cast<byte, T>(Bytes)
        : throw new InvalidOperationException($"The tensor's elements are of type {Type}, not {typeof(T).Name}.");

    /// <summary>Gives its memory back, zeroed.</summary>
    public void Dispose()
    {
        _buffer?.Dispose();
        if (Interlocked.Exchange(ref _native, null) is { } native)
        {
            if (native.ByteLength <= int.MaxValue) native.Bytes.Clear();
            native.Dispose();
        }
        _whole?.Release();
    }

    /// <summary>
    /// Some items along the first dimension, without a copy (but for texts); each part and the whole's owner must give their share
    /// back once.
    /// </summary>
    internal static Tensor Part(SharedTensor whole, long first, long count)
    {
        long[] shape = [count, .. whole.Tensor.Shape[1..]];
        long stride = whole.Tensor.ElementCount / Math.Max(1, whole.Tensor.Shape[0]);
        if (whole.Tensor.Type != TensorElementType.String) return new Tensor(whole, shape, checked((int)whole.Tensor.Type.ByteLength(first * stride)));
        string[] texts = whole.Tensor.Texts.Slice((int)(first * stride), (int)(count * stride)).ToArray();
        whole.Release();
        return new Tensor(shape, texts);
    }

    /// <summary>What ONNX Runtime reads; <paramref name="owned"/> if the caller must dispose it.</summary>
    internal OrtTensor ToNative(out bool owned)
    {
        owned = _texts is not null;
        if (_texts is not null) return OrtTensor.FromStrings(_texts, _shape);
        if (_whole is null) return _native ?? _buffer!.View(Type, _shape);
        owned = true;
        return _whole.Tensor.ViewPart(_shape, _byteOffset, _byteLength);
    }

    private OrtTensor ViewPart(long[] shape, int offset, int length)
    {
        if (_buffer is not null) return _buffer.ViewPart(Type, shape, offset);
        OrtTensor copy = OrtTensor.Allocate(Type, shape);
        Bytes.Slice(offset, length).CopyTo(copy.Bytes);
        return copy;
    }
}
