using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// Native memory of any size (over 2 GB too) that never moves: aligned to 64 bytes, zero at first, zeroed again before it is given
/// back. Tensors and sessions made over it keep the memory alive, so disposing it early is safe.
/// </summary>
public sealed unsafe class PinnedBuffer : IDisposable
{
    internal const int Alignment = 64;

    private readonly NativeMemoryHandle _memory;
    private volatile bool _disposed;

    private PinnedBuffer(NativeMemoryHandle memory) => _memory = memory;

    /// <summary>Its length in bytes.</summary>
    public long Length => _memory.Length;

    /// <summary>Takes memory of <paramref name="length"/> bytes.</summary>
    /// <param name="length">How many bytes.</param>
    /// <param name="guard">Told of the memory before anything is written into it, and when it was zeroed again; then the buffer has its pages to itself.</param>
    /// <exception cref="OutOfMemoryException">The system does not give that much.</exception>
    public static PinnedBuffer Allocate(long length, IMemoryGuard? guard = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new PinnedBuffer(NativeMemoryHandle.Allocate(length, guard));
    }

    /// <summary>The bytes from <paramref name="offset"/> on. They must not be touched after <see cref="Dispose"/>.</summary>
    public Span<byte> Span(long offset, int length)
    {
        Demand(offset, length);
        return new Span<byte>(_memory.Address + offset, length);
    }

    /// <summary>
    /// The bytes from <paramref name="offset"/> on, for asynchronous readers. Pinning it keeps the memory alive; without that it must
    /// not be touched after <see cref="Dispose"/>.
    /// </summary>
    public Memory<byte> Memory(long offset, int length)
    {
        Demand(offset, length);
        return new Slice(this, offset, length).Memory;
    }

    /// <summary>Gives the memory back once no tensor or session uses it.</summary>
    public void Dispose()
    {
        _disposed = true;
        _memory.Dispose();
    }

    /// <summary>The memory, held until <see cref="Hold.Dispose"/>.</summary>
    internal Hold Keep()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Hold(_memory);
    }

    private void Demand(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} lie outside the buffer's {Length}.");
    }

    /// <summary>A reference that keeps a buffer's memory alive.</summary>
    internal sealed class Hold : IDisposable
    {
        private NativeMemoryHandle? _memory;

        public Hold(NativeMemoryHandle memory)
        {
            bool held = false;
            memory.DangerousAddRef(ref held);
            _memory = memory;
        }

        public byte* Address => _memory!.Address;

        public nint Start => (nint)Address;

        public void Dispose() => Interlocked.Exchange(ref _memory, null)?.DangerousRelease();
    }

    internal sealed class NativeMemoryHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private readonly nuint _alignment;
        private readonly IDisposable? _guarded;

        private NativeMemoryHandle(long length, nuint alignment, IMemoryGuard? guard) : base(ownsHandle: true)
        {
            Length = length;
            _alignment = alignment;
            // calloc hands out fresh pages without touching them; room is left to align by hand.
            SetHandle((nint)NativeMemory.AllocZeroed(Extent + alignment));
            try
            {
                _guarded = guard?.Protect((nint)Address, (long)Extent);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public long Length { get; }

        public byte* Address => (byte*)(((nuint)handle + (_alignment - 1)) & ~(_alignment - 1));

        private nuint Extent => ((nuint)Length + (_alignment - 1)) & ~(_alignment - 1);

        // What protects memory works on pages: another buffer on the same page would lose its protection with this one.
        public static NativeMemoryHandle Allocate(long length, IMemoryGuard? guard) =>
            new(length, guard is null ? Alignment : (nuint)Environment.SystemPageSize, guard);

        protected override bool ReleaseHandle()
        {
            NativeMemory.Clear(Address, (nuint)Length);
            _guarded?.Dispose();
            NativeMemory.Free((void*)handle);
            return true;
        }
    }

    private sealed class Slice(PinnedBuffer buffer, long offset, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => buffer.Span(offset, length);

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            buffer.Demand(offset + elementIndex, length - elementIndex);
            Hold hold = buffer.Keep();
            return new MemoryHandle(hold.Address + offset + elementIndex, pinnable: new Unpin(hold));
        }

        public override void Unpin() => throw new NotSupportedException("Each pin is undone by its own handle.");

        protected override void Dispose(bool disposing) { }
    }

    private sealed class Unpin(Hold hold) : IPinnable
    {
        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException("It is pinned already.");

        void IPinnable.Unpin() => hold.Dispose();
    }
}
