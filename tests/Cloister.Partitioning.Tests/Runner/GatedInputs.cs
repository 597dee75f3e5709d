using System.Collections;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>One input over which a run inside stands still until the test lets it go on. What is sent to accelerators is read past the gate.</summary>
internal sealed class GatedInputs(OrtTensor input) : IReadOnlyList<OrtTensor>, IDisposable
{
    private readonly ManualResetEventSlim _open = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Count => 1;

    /// <summary>Completes when a run inside stands at the gate.</summary>
    public Task ReachedAsync => _reached.Task.WaitAsync(RunningHost.Patience);

    public OrtTensor this[int index] => input;

    public void Open() => _open.Set();

    public IEnumerator<OrtTensor> GetEnumerator()
    {
        _reached.TrySetResult();
        if (!_open.Wait(RunningHost.Patience)) throw new TimeoutException("The gate was not opened.");
        yield return input;
    }

    public void Dispose()
    {
        _open.Set();
        _open.Dispose();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
