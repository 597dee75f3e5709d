using System.Buffers;
using System.Buffers.Binary;

namespace Cloister.Protocol.Grpc;

/// <summary>One message in a pooled array, cleared when it goes back. A message to be sent has room for its prefix in front.</summary>
/// <remarks>
/// An answer is written here and then copied to the connection, not written there at once: a connection that breaks
/// takes its memory back while a handler may still be writing, and a handler that fails half way must send nothing.
/// </remarks>
internal sealed class MessageBuffer : IBufferWriter<byte>, IDisposable
{
    private const int Least = 1024;

    private byte[] _bytes;
    private int _written;

    private MessageBuffer(int capacity, int written)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(Least, capacity));
        _written = written;
    }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _written);

    /// <summary>What was written behind the prefix's room.</summary>
    public ReadOnlyMemory<byte> Message => Written[GrpcFrame.PrefixBytes..];

    /// <summary>A buffer for a message to be sent.</summary>
    public static MessageBuffer WithPrefix(int capacity = 0) => new(GrpcFrame.PrefixBytes + capacity, GrpcFrame.PrefixBytes);

    /// <summary>A buffer for anything else.</summary>
    public static MessageBuffer Plain(int capacity) => new(capacity, 0);

    /// <summary>Fills the prefix in and gives the whole frame.</summary>
    public ReadOnlySpan<byte> Frame(bool compressed)
    {
        _bytes[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(1), (uint)(_written - GrpcFrame.PrefixBytes));
        return Written.Span;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _written);
        _written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Require(sizeHint);
        return _bytes.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Require(sizeHint);
        return _bytes.AsSpan(_written);
    }

    public void Dispose()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes, clearArray: true);
        _bytes = [];
        _written = 0;
    }

    private void Require(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int room = Math.Max(1, sizeHint);
        if (_bytes.Length - _written >= room) return;
        long wanted = Math.Max((long)_written + room, 2L * _bytes.Length);
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, wanted));
        _bytes.AsSpan(0, _written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes, clearArray: true);
        _bytes = larger;
        if (_bytes.Length - _written < room) throw new GrpcException(GrpcStatus.ResourceExhausted, "The answer is larger than a message can be.");
    }
}
