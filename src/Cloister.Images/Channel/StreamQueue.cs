namespace Cloister.Images.Channel;

/// <summary>What came on a stream and was not taken yet; never more than <see cref="StreamWindow.Size"/>, or the other side does not keep to its window.</summary>
internal sealed class StreamQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<ReadOnlyMemory<byte>> _chunks = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held, _returned;
    private bool _ended;
    private Exception? _fault;

    /// <summary>Adds what came; false if the other side sends more than it may. After the end it is dropped.</summary>
    public bool Add(ReadOnlyMemory<byte> chunk)
    {
        lock (_lock)
        {
            if (_ended)
                return true;
            int cost = Cost(chunk);
            if (cost > StreamWindow.Size - _held)
                return false;
            _held += cost;
            _chunks.Enqueue(chunk);
            Wake();
            return true;
        }
    }

    /// <summary>Nothing more will come.</summary>
    public void End(Exception? fault = null)
    {
        lock (_lock)
        {
            if (_ended)
                return;
            _ended = true;
            _fault = fault;
            Wake();
        }
    }

    /// <summary>The next chunk, and how much of the window to give back now (0: not yet); null at the end.</summary>
    public async ValueTask<(ReadOnlyMemory<byte> Chunk, uint Give)?> TakeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_chunks.TryDequeue(out ReadOnlyMemory<byte> chunk))
                    return (chunk, Return(Cost(chunk)));
                if (_fault is not null)
                    throw new ImageException(ImageError.MachineEnded, _fault.Message, _fault);
                if (_ended)
                    return null;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation);
        }
    }

    // What is not given back yet is still held: the sum of both never passes the window.
    private uint Return(int cost)
    {
        _returned += cost;
        if (_returned < StreamWindow.Size / 4)
            return 0;
        uint give = (uint)_returned;
        _held -= _returned;
        _returned = 0;
        return give;
    }

    private static int Cost(ReadOnlyMemory<byte> chunk) => chunk.Length + StreamWindow.ChunkCost;

    private void Wake()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
