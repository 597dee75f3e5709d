namespace Cloister.Onnx.Runtime;

/// <summary>What one run, or several, can be stopped by.</summary>
public sealed unsafe class OrtRunOptions : IDisposable
{
    private volatile bool _terminated;

    /// <summary>Makes options that stop nothing yet.</summary>
    public OrtRunOptions()
    {
        OrtApi api = OnnxRuntimeLibrary.Shared.Api;
        nint options;
        api.Check(api.CreateRunOptions(&options));
        Handle = new OrtRunOptionsHandle(options);
    }

    /// <summary>Whether <see cref="Terminate"/> was called: a run that fails then was stopped, not broken.</summary>
    public bool Terminated => _terminated;

    internal OrtRunOptionsHandle Handle { get; }

    /// <summary>
    /// Stops the runs that use these options, from any thread: each ends with an <see cref="OnnxRuntimeException"/> before its next
    /// operator. Runs that begin later stop at once, until <see cref="Reset"/>. After <see cref="Dispose"/> it does nothing.
    /// </summary>
    public void Terminate()
    {
        _terminated = true;
        Call(terminate: true);
    }

    /// <summary>Lets runs go on again, so that the options can be used once more.</summary>
    public void Reset()
    {
        _terminated = false;
        Call(terminate: false);
    }

    /// <summary>Lets go of it; a run that uses it finishes first.</summary>
    public void Dispose() => Handle.Dispose();

    private void Call(bool terminate)
    {
        OrtApi api = OnnxRuntimeLibrary.Shared.Api;
        bool held = false;
        try
        {
            Handle.Hold(ref held);
            api.Check(terminate ? api.RunOptionsSetTerminate(Handle.Value) : api.RunOptionsUnsetTerminate(Handle.Value));
        }
        catch (ObjectDisposedException)
        {
            // A cancellation may come when the run is over: there is nothing left to stop.
        }
        finally
        {
            if (held)
                Handle.DangerousRelease();
        }
    }
}
