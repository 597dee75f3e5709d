namespace Cloister.Serving.Repository;

/// <summary>A version that answers, and how many requests hold it. It is released when it was retired and the last request let go of it.</summary>
internal sealed class LoadedVersion(ServedModel model)
{
    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private int _holders;
    private bool _retired;

    public ServedModel Model { get; } = model;

    /// <summary>Holds the version for one request; false if it was retired.</summary>
    public bool TryHold()
    {
        lock (_gate)
        {
            if (_retired) return false;
            _holders++;
            return true;
        }
    }

    public void LetGo()
    {
        bool last;
        lock (_gate) last = --_holders == 0 && _retired;
        if (last) _unused.TrySetResult();
    }

    /// <summary>Takes no further request and ends when the last one is answered; then the model is released.</summary>
    public async Task RetireAsync()
    {
        bool unused;
        lock (_gate)
        {
            if (_retired) return;
            _retired = true;
            unused = _holders == 0;
        }
        if (!unused) await _unused.Task;
        await Model.DisposeAsync();
    }
}
