using System.Collections.Concurrent;
using System.Numerics;

namespace Cloister.Serving.Engines;

/// <summary>Keeps pinned memory for the next request, by powers of two, up to a bound.</summary>
internal sealed class TensorPool(long maximumKeptBytes) : IDisposable
{
    private const int SmallestBits = 10, LargestBits = 30;

    private readonly ConcurrentBag<TensorBuffer>[] _free = [.. Enumerable.Range(0, LargestBits - SmallestBits + 1).Select(_ => new ConcurrentBag<TensorBuffer>())];
    private long _kept;
    private volatile bool _disposed;

    /// <summary>The largest tensor, in bytes.</summary>
    public const long LargestTensor = 1L << LargestBits;

    /// <summary>Lends memory of at least so many bytes; its content is zero.</summary>
    /// <exception cref="ServingException">More than <see cref="LargestTensor"/> is asked for.</exception>
    public TensorBuffer Rent(long bytes)
    {
        if (bytes > LargestTensor)
            throw new ServingException(ServingError.TooLarge, $"A tensor of {bytes} bytes is larger than the {LargestTensor} bytes that one may have.");
        int index = Math.Max(0, BitOperations.Log2((uint)Math.Max(1, bytes - 1)) + 1 - SmallestBits);
        if (!_free[index].TryTake(out TensorBuffer? buffer)) return new TensorBuffer(this, 1 << (index + SmallestBits));
        Interlocked.Add(ref _kept, -buffer.Capacity);
        return buffer;
    }

    internal void Return(TensorBuffer buffer)
    {
        if (_disposed || Interlocked.Add(ref _kept, buffer.Capacity) > maximumKeptBytes)
        {
            if (!_disposed) Interlocked.Add(ref _kept, -buffer.Capacity);
            buffer.Release();
            return;
        }
        _free[BitOperations.Log2((uint)buffer.Capacity) - SmallestBits].Add(buffer);
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (ConcurrentBag<TensorBuffer> bag in _free)
            while (bag.TryTake(out TensorBuffer? buffer)) buffer.Release();
    }
}
