using Cloister.Onnx.Runtime;
using Cloister.Platform;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Repository;

/// <summary>
/// Where decrypted models lie: memory that is kept out of swap and core dumps, as far as the system allows. Where it does not, that
/// is said once, with what to do.
/// </summary>
internal sealed class ModelMemory(ILogger logger) : IMemoryGuard
{
    private int _said;
    private long _held;

    /// <summary>How many bytes of pages decrypted models and keys hold now.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Locks all memory of the process.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.MemoryNotLocked"/>.</exception>
    public static void LockProcess()
    {
        if (LockedMemory.LockProcess() is { } problem)
            throw new ServingException(ServingError.MemoryNotLocked,
                $"The process's memory could not be locked ({problem}): allow it unlimited locked memory (ulimit -l unlimited, LimitMEMLOCK=infinity in systemd, --ulimit memlock=-1 in a container), or start it without locking.");
    }

    public IDisposable Protect(nint address, long length)
    {
        LockedMemory memory = LockedMemory.Over(address, length);
        if (memory.Problem is { } problem && Interlocked.Exchange(ref _said, 1) == 0) logger.MemoryNotLocked(length, problem);
        Interlocked.Add(ref _held, length);
        return new Part(this, memory, length);
    }

    private sealed class Part(ModelMemory owner, LockedMemory memory, long length) : IDisposable
    {
        public void Dispose()
        {
            memory.Dispose();
            Interlocked.Add(ref owner._held, -length);
        }
    }
}
