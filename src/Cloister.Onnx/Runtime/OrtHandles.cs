using Microsoft.Win32.SafeHandles;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// An object of ONNX Runtime and what must outlive it. It is released when it was disposed and no call uses it any more, so an object
/// may be disposed while another thread runs with it.
/// </summary>
internal abstract class OrtHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly IDisposable?[] _dependencies;
    private volatile bool _disposed;

    protected OrtHandle(nint handle, params IDisposable?[] dependencies) : base(ownsHandle: true)
    {
        _dependencies = dependencies;
        SetHandle(handle);
    }

    protected static OrtApi Api => OnnxRuntimeLibrary.Shared.Api;

    public nint Value => handle;

    /// <summary>Whether it was disposed, though calls may still use it (<see cref="System.Runtime.InteropServices.SafeHandle.IsClosed"/> waits for them).</summary>
    public bool IsDisposed => _disposed;

    /// <summary>Holds it for a call, until <see cref="System.Runtime.InteropServices.SafeHandle.DangerousRelease"/>.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed; without this check calls that overlap could go on for ever.</exception>
    public void Hold(ref bool held)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        DangerousAddRef(ref held);
    }

    protected abstract void Release();

    protected sealed override void Dispose(bool disposing)
    {
        _disposed = true;
        base.Dispose(disposing);
    }

    protected sealed override bool ReleaseHandle()
    {
        Release();
        foreach (IDisposable? dependency in _dependencies)
            dependency?.Dispose();
        return true;
    }
}

/// <summary>An <c>OrtValue</c>; a hold on the memory it stands over, if that is not its own.</summary>
internal sealed class OrtValueHandle(nint value, IDisposable? memory) : OrtHandle(value, memory)
{
    protected override void Release() => Api.ReleaseValue(handle);
}

/// <summary>An <c>OrtRunOptions</c>.</summary>
internal sealed class OrtRunOptionsHandle(nint value) : OrtHandle(value)
{
    protected override void Release() => Api.ReleaseRunOptions(handle);
}

/// <summary>An <c>OrtSessionOptions</c>.</summary>
internal sealed class OrtSessionOptionsHandle(nint value) : OrtHandle(value)
{
    protected override void Release() => Api.ReleaseSessionOptions(handle);
}

/// <summary>An <c>OrtSession</c>, the names it is called with, the weights it computes on.</summary>
internal sealed class OrtSessionHandle(nint value, NativeStrings inputs, NativeStrings outputs, IDisposable? weights)
    : OrtHandle(value, inputs, outputs, weights)
{
    protected override void Release() => Api.ReleaseSession(handle);
}
