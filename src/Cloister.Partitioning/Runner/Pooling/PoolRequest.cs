using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>
/// One caller's request. Whoever reads its inputs holds it meanwhile: a caller who gives up gets the end of his task only when nobody
/// reads them any more, and may then dispose of them.
/// </summary>
internal sealed class PoolRequest(IReadOnlyList<OrtTensor> inputs, int rows, long cameAt)
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<OrtTensor[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _ending;
    private bool _held, _ended;

    public IReadOnlyList<OrtTensor> Inputs => inputs;

    public int Rows => rows;

    public long CameAt => cameAt;

    /// <summary>Ends when the request does.</summary>
    public Task<OrtTensor[]> Done => _done.Task;

    /// <summary>How many accelerators failed it.</summary>
    public int Failures { get; set; }

    /// <summary>The last that did.</summary>
    public AcceleratorLink? FailedAt { get; set; }

    /// <summary>Where it is, and what happened before, in words for the caller.</summary>
    public string Whereabouts { get; set; } = "it waited for a place";

    /// <summary>Its place in the queue, while it has one; the queue's.</summary>
    public LinkedListNode<PoolRequest>? Place { get; set; }

    /// <summary>Keeps the inputs alive until <see cref="LetGo"/>; false where the request ended.</summary>
    public bool TryHold()
    {
        lock (_lock)
        {
            if (_ended || _ending is not null || _held) return false;
            return _held = true;
        }
    }

    /// <summary>Nobody reads the inputs any more.</summary>
    public void LetGo()
    {
        lock (_lock)
        {
            _held = false;
            if (_ending is null || _ended) return;
            _ended = true;
        }
        End(_ending);
    }

    /// <summary>Ends it with outputs, which are the caller's from here on; false where it had ended: they are zeroed and disposed of.</summary>
    public bool TryComplete(OrtTensor[] outputs)
    {
        lock (_lock)
        {
            if (!_ended && _ending is null)
            {
                _ended = true;
                return _done.TrySetResult(outputs);
            }
        }
        PartitionedRunner.Erase(outputs);
        return false;
    }

    /// <summary>Ends it without.</summary>
    public void Fail(Exception why)
    {
        lock (_lock)
        {
            if (_ended || _ending is not null) return;
            if (_held)
            {
                _ending = why;
                return;
            }
            _ended = true;
        }
        End(why);
    }

    private void End(Exception why)
    {
        if (why is OperationCanceledException cancelled) _done.TrySetCanceled(cancelled.CancellationToken);
        else _done.TrySetException(why);
    }
}
