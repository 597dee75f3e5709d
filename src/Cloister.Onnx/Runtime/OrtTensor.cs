using System.Buffers;
using System.Runtime.InteropServices;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// A tensor that sessions read and write without copying: over pinned memory of the caller (made once, used for many runs), over
/// memory of its own, or allocated by ONNX Runtime as the output of a run.
/// </summary>
/// <remarks>
/// Elements are dense, in row-major order, in the machine's byte order. One tensor may be the input of several runs at once; an output
/// belongs to one run at a time. A span of a tensor must not be used after the tensor's <see cref="Dispose"/>.
/// </remarks>
public sealed unsafe class OrtTensor : IDisposable
{
    private readonly long[] _shape;
    private readonly byte* _data;

    private OrtTensor(OrtValueHandle handle, TensorElementType type, long[] shape, byte* data, long byteLength)
    {
        Handle = handle;
        Type = type;
        _shape = shape;
        _data = data;
        ByteLength = byteLength;
    }

    /// <summary>The type of its elements.</summary>
    public TensorElementType Type { get; }

    /// <summary>Its dimensions; none for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The number of its elements.</summary>
    public long ElementCount => Elements(_shape);

    /// <summary>The bytes its elements take; 0 for strings.</summary>
    public long ByteLength { get; }

    /// <summary>Its raw bytes. They must not be touched after <see cref="Dispose"/>.</summary>
    /// <exception cref="InvalidOperationException">It holds strings, or is larger than 2 GB.</exception>
    public Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(Handle.IsDisposed, this);
            if (Type == TensorElementType.String)
                throw new InvalidOperationException("A tensor of strings has no bytes to look at: use ReadStrings.");
            if (ByteLength > int.MaxValue)
                throw new InvalidOperationException($"A tensor of {ByteLength} bytes does not fit one span: keep the PinnedBuffer it lies in.");
            return new Span<byte>(_data, (int)ByteLength);
        }
    }

    internal OrtValueHandle Handle { get; }

    private static OnnxRuntimeLibrary Library => OnnxRuntimeLibrary.Shared;

    /// <summary>A tensor with memory of its own, all zero.</summary>
    /// <exception cref="ArgumentException">The shape is not one, or the type has no fixed size.</exception>
    public static OrtTensor Allocate(TensorElementType type, ReadOnlySpan<long> shape)
    {
        long length = type.ByteLength(Elements(shape));
        PinnedBuffer.NativeMemoryHandle memory = PinnedBuffer.NativeMemoryHandle.Allocate(length, null);
        return Over(type, memory.Address, length, shape, memory);
    }

    /// <summary>A tensor with memory of its own, all zero.</summary>
    /// <exception cref="ArgumentException">The shape is not one, or no tensor has such elements.</exception>
    public static OrtTensor Allocate<T>(ReadOnlySpan<long> shape) where T : unmanaged => Allocate(TensorElementTypes.Of<T>(), shape);

    /// <summary>A tensor over a part of a buffer, which it keeps alive.</summary>
    /// <param name="type">The type of its elements.</param>
    /// <param name="buffer">The memory.</param>
    /// <param name="offset">Where the tensor begins, in bytes.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <exception cref="ArgumentException">The buffer ends before the tensor does.</exception>
    public static OrtTensor OverPinned(TensorElementType type, PinnedBuffer buffer, long offset, ReadOnlySpan<long> shape)
    {
        long length = type.ByteLength(Elements(shape));
        if (offset < 0 || offset > buffer.Length - length)
            throw new ArgumentException($"{length} bytes at {offset} lie outside the buffer's {buffer.Length}.", nameof(buffer));
        PinnedBuffer.Hold hold = buffer.Keep();
        return Over(type, hold.Address + offset, length, shape, hold);
    }

    /// <summary>A tensor over a whole buffer, which it keeps alive.</summary>
    /// <exception cref="ArgumentException">The buffer's length is not that of the tensor.</exception>
    public static OrtTensor OverPinned<T>(PinnedBuffer buffer, ReadOnlySpan<long> shape) where T : unmanaged
    {
        TensorElementType type = TensorElementTypes.Of<T>();
        if (type.ByteLength(Elements(shape)) is var length && length != buffer.Length)
            throw new ArgumentException($"The tensor takes {length} bytes, the buffer has {buffer.Length}.", nameof(buffer));
        return OverPinned(type, buffer, 0, shape);
    }

    /// <summary>A tensor over memory of the caller, which is pinned until the tensor is released.</summary>
    /// <exception cref="ArgumentException">The memory's length is not that of the tensor.</exception>
    public static OrtTensor OverPinned<T>(Memory<T> memory, ReadOnlySpan<long> shape) where T : unmanaged
    {
        if (Elements(shape) != memory.Length)
            throw new ArgumentException($"The tensor has {Elements(shape)} elements, the memory {memory.Length}.", nameof(memory));
        Pin pin = new(memory.Pin());
        return Over(TensorElementTypes.Of<T>(), pin.Address, (long)memory.Length * sizeof(T), shape, pin);
    }

    /// <summary>A tensor of strings, copied. Strings go as UTF-8; one with a zero character is refused.</summary>
    /// <exception cref="ArgumentException">The number of texts is not that of the tensor's elements, or a text has a zero character.</exception>
    public static OrtTensor FromStrings(ReadOnlySpan<string> texts, ReadOnlySpan<long> shape)
    {
        if (Elements(shape) != texts.Length)
            throw new ArgumentException($"The tensor has {Elements(shape)} elements, {texts.Length} texts are given.", nameof(texts));
        using NativeStrings native = new(texts);
        OrtApi api = Library.Api;
        nint value;
        fixed (long* dimensions = shape)
            api.Check(api.CreateTensorAsOrtValue(Library.Env.Allocator, dimensions, (nuint)shape.Length, (int)TensorElementType.String, &value));
        OrtTensor tensor = new(new OrtValueHandle(value, null), TensorElementType.String, shape.ToArray(), null, 0);
        try
        {
            api.Check(api.FillStringTensor(value, native.Pointers, (nuint)texts.Length));
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
        return tensor;
    }

    /// <summary>Its elements. The span must not be used after <see cref="Dispose"/>.</summary>
    /// <exception cref="InvalidOperationException">Its elements are of another type.</exception>
    public Span<T> Span<T>() where T : unmanaged
    {
        if (TensorElementTypes.Of<T>() != Type)
            throw new InvalidOperationException($"The tensor's elements are of type {Type}, not {typeof(T).Name}.");
        return MemoryMarshal.Cast<byte, T>(Bytes);
    }

    /// <summary>Its strings, copied.</summary>
    /// <exception cref="InvalidOperationException">It holds no strings, or more than 2 GB of them.</exception>
    public string[] ReadStrings()
    {
        ObjectDisposedException.ThrowIf(Handle.IsDisposed, this);
        if (Type != TensorElementType.String)
            throw new InvalidOperationException($"The tensor's elements are of type {Type}, not strings.");
        OrtApi api = Library.Api;
        bool held = false;
        try
        {
            Handle.Hold(ref held);
            nuint length;
            api.Check(api.GetStringTensorDataLength(Handle.Value, &length));
            int count = checked((int)ElementCount);
            if (length > int.MaxValue)
                throw new InvalidOperationException($"The tensor holds {length} bytes of text.");
            byte[] text = new byte[(int)length];
            nuint[] offsets = new nuint[count];
            fixed (byte* textAt = text)
            fixed (nuint* offsetsAt = offsets)
                api.Check(api.GetStringTensorContent(Handle.Value, textAt, length, offsetsAt, (nuint)count));
            string[] strings = new string[count];
            for (int i = 0; i < count; i++)
            {
                int start = (int)offsets[i], end = i + 1 < count ? (int)offsets[i + 1] : text.Length;
                strings[i] = System.Text.Encoding.UTF8.GetString(text, start, end - start);
            }
            return strings;
        }
        finally
        {
            if (held)
                Handle.DangerousRelease();
        }
    }

    /// <summary>Lets go of it; a run that uses it finishes first.</summary>
    public void Dispose() => Handle.Dispose();

    /// <summary>Takes over a value that ONNX Runtime allocated.</summary>
    internal static OrtTensor Adopt(nint value)
    {
        OrtApi api = Library.Api;
        OrtValueHandle handle = new(value, null);
        try
        {
            int isTensor;
            api.Check(api.IsTensor(value, &isTensor));
            if (isTensor == 0)
                throw new OnnxRuntimeException(OnnxRuntimeError.NotImplemented, "The model's output is a sequence or a map, not a tensor.");
            nint info;
            api.Check(api.GetTensorTypeAndShape(value, &info));
            TensorElementType type;
            long[] shape;
            try
            {
                (type, shape) = ReadInfo(api, info);
            }
            finally
            {
                api.ReleaseTensorTypeAndShapeInfo(info);
            }
            if (type == TensorElementType.String)
                return new OrtTensor(handle, type, shape, null, 0);
            void* data;
            api.Check(api.GetTensorMutableData(value, &data));
            return new OrtTensor(handle, type, shape, (byte*)data, type.ByteLength(Elements(shape)));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    internal static (TensorElementType Type, long[] Shape) ReadInfo(OrtApi api, nint info)
    {
        int type;
        nuint rank;
        api.Check(api.GetTensorElementType(info, &type));
        api.Check(api.GetDimensionsCount(info, &rank));
        long[] shape = new long[checked((int)rank)];
        fixed (long* dimensions = shape)
            api.Check(api.GetDimensions(info, dimensions, rank));
        return ((TensorElementType)type, shape);
    }

    /// <summary>The number of elements of a shape.</summary>
    /// <exception cref="ArgumentException">A dimension is negative, or the product does not fit 63 bits.</exception>
    internal static long Elements(ReadOnlySpan<long> shape)
    {
        UInt128 count = 1;
        bool empty = false;
        foreach (long dimension in shape)
        {
            if (dimension < 0)
                throw new ArgumentException($"A tensor has no dimension of {dimension}.", nameof(shape));
            empty |= dimension == 0;
            count *= dimension == 0 ? 1 : (UInt128)dimension;
            if (count > long.MaxValue)
                throw new ArgumentException("The shape has more elements than a tensor can.", nameof(shape));
        }
        return empty ? 0 : (long)count;
    }

    private static OrtTensor Over(TensorElementType type, byte* data, long length, ReadOnlySpan<long> shape, IDisposable hold)
    {
        nint value;
        try
        {
            OrtApi api = Library.Api;
            fixed (long* dimensions = shape)
                api.Check(api.CreateTensorWithDataAsOrtValue(
                    Library.Env.CpuMemory, data, (nuint)length, dimensions, (nuint)shape.Length, (int)type, &value));
        }
        catch
        {
            hold.Dispose();
            throw;
        }
        return new OrtTensor(new OrtValueHandle(value, hold), type, shape.ToArray(), data, length);
    }

    private sealed class Pin(MemoryHandle pinned) : IDisposable
    {
        private MemoryHandle _pinned = pinned;

        public byte* Address => (byte*)_pinned.Pointer;

        public void Dispose() => _pinned.Dispose();
    }
}
