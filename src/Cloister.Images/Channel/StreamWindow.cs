namespace Cloister.Images.Channel;

/// <summary>
/// How much one side may still send on a stream. A chunk costs its bytes and <see cref="ChunkCost"/>, so that many small ones cannot fill the
/// other side's memory; what was taken is given back by frames of kind Window.
/// </summary>
internal sealed class StreamWindow
{
    /// <summary>What a side may send before the other has taken any of it.</summary>
    public const int Size = 256 << 10;

    public const int ChunkCost = 64;

    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _credit = Size;
    private bool _closed;

    /// <summary>Waits until a chunk of <paramref name="length"/> bytes may be sent, and takes its cost; false where the stream is over.</summary>
    public async ValueTask<bool> TakeAsync(int length, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_closed)
                    return false;
                if (_credit >= length + ChunkCost)
                {
                    _credit -= length + ChunkCost;
                    return true;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation);
        }
    }

    /// <summary>The other side took something; false if it says more than it was sent.</summary>
    public bool Give(uint amount)
    {
        lock (_lock)
        {
            if (amount > Size - _credit)
                return false;
            _credit += (int)amount;
            Wake();
        }
        return true;
    }

    /// <summary>Nothing more may be sent; whoever waits learns it.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Wake();
        }
    }

    private void Wake()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
