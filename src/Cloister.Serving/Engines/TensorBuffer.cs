using System.Runtime.InteropServices;
using Cloister.Onnx.Runtime;

namespace Cloister.Serving.Engines;

/// <summary>
/// Pinned memory for one tensor, lent by a <see cref="TensorPool"/>. It remembers the ONNX Runtime value that was last made
/// over it: requests of the same shape, which is most of them, need no new one. Zeroed when it goes back.
/// </summary>
internal sealed class TensorBuffer : IDisposable
{
    private readonly TensorPool _pool;
    private readonly PinnedBuffer _memory;
    private OrtTensor? _view;
    private int _used;

    internal TensorBuffer(TensorPool pool, int capacity)
    {
        _pool = pool;
        _memory = PinnedBuffer.Allocate(capacity);
        Capacity = capacity;
    }

    /// <summary>Its size in bytes.</summary>
    public int Capacity { get; }

    /// <summary>The first <paramref name="length"/> bytes.</summary>
    public Span<byte> Span(int length)
    {
        _used = Math.Max(_used, length);
        return _memory.Span(0, length);
    }

    /// <summary>The whole memory as elements.</summary>
    public Span<T> Elements<T>() where T : unmanaged => MemoryMarshal.Cast<byte, T>(Span(Capacity));

    /// <summary>An ONNX Runtime tensor over the beginning of the memory; this buffer disposes it.</summary>
    public OrtTensor View(TensorElementType type, ReadOnlySpan<long> shape)
    {
        if (_view is { } view && view.Type == type && view.Shape.SequenceEqual(shape)) return view;
        _view?.Dispose();
        _view = OrtTensor.OverPinned(type, _memory, 0, shape);
        _used = Math.Max(_used, (int)_view.ByteLength);
        return _view;
    }

    /// <summary>An ONNX Runtime tensor over a part of the memory; the caller disposes it before this buffer.</summary>
    public OrtTensor ViewPart(TensorElementType type, ReadOnlySpan<long> shape, int offset) => OrtTensor.OverPinned(type, _memory, offset, shape);

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        _memory.Span(0, _used).Clear();
        _used = 0;
        _pool.Return(this);
    }

    internal void Release()
    {
        _view?.Dispose();
        _memory.Dispose();
    }
}
