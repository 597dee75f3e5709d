using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>Memory of one connection's runs that is used again: fresh pages cost about as much as copying into them.</summary>
internal sealed class BufferShelf : IDisposable
{
    private const int MaximumBuffers = 2;
    private const long MaximumBytes = 4 << 20;

    private readonly Lock _lock = new();
    private readonly Stack<PinnedBuffer> _free = new();
    private bool _closed;

    /// <summary>Gives memory of at least so many bytes; what is in it is of an earlier run.</summary>
    public PinnedBuffer Take(long bytes)
    {
        PinnedBuffer? free;
        lock (_lock) _free.TryPop(out free);
        if (free is not null && free.Length >= bytes) return free;
        free?.Dispose();
        return PinnedBuffer.Allocate(bytes);
    }

    /// <summary>Takes memory back.</summary>
    public void Return(PinnedBuffer buffer)
    {
        lock (_lock)
        {
            if (!_closed && _free.Count < MaximumBuffers && buffer.Length <= MaximumBytes)
            {
                _free.Push(buffer);
                return;
            }
        }
        buffer.Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            while (_free.TryPop(out PinnedBuffer? free)) free.Dispose();
        }
    }
}
