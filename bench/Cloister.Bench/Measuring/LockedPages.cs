using Cloister.Onnx.Runtime;
using Cloister.Platform;

namespace Cloister.Bench;

/// <summary>Locks what is decrypted, as the server does.</summary>
internal sealed class LockedPages : IMemoryGuard
{
    public IDisposable Protect(nint address, long length) => LockedMemory.Over(address, length);
}
