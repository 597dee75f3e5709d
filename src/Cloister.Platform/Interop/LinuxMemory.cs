using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Cloister.Platform.Interop;

/// <summary>Memory that stays in memory (mlock2(2), madvise(2)). Constants are those of Linux on x64 and arm64.</summary>
[SupportedOSPlatform("linux")]
internal static partial class LinuxMemory
{
    private const int OnFault = 1; // MLOCK_ONFAULT: pages are locked as they are first touched, not all at once and by one thread
    private const int Current = 1, Future = 2, AllOnFault = 4; // MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT
    private const int NoDump = 16, Dump = 17; // MADV_DONTDUMP, MADV_DODUMP

    /// <summary>Keeps whole pages out of swap; null if it worked, else the kernel's reason.</summary>
    public static string? Lock(nint address, nuint length) => mlock2(address, length, OnFault) == 0 ? null : Marshal.GetLastPInvokeErrorMessage();

    /// <summary>Ends <see cref="Lock"/>.</summary>
    public static void Unlock(nint address, nuint length) => _ = munlock(address, length);

    /// <summary>Keeps all memory of the process out of swap, also what it takes later; null if it worked, else the kernel's reason.</summary>
    public static string? LockAll() => mlockall(Current | Future | AllOnFault) == 0 ? null : Marshal.GetLastPInvokeErrorMessage();

    /// <summary>Ends <see cref="LockAll"/>, and every <see cref="Lock"/>.</summary>
    public static void UnlockAll() => _ = munlockall();

    /// <summary>Leaves whole pages out of core dumps, or takes them in again. A kernel that cannot says nothing.</summary>
    public static void Dumped(nint address, nuint length, bool dumped) => _ = madvise(address, length, dumped ? Dump : NoDump);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mlock2(nint address, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munlock(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mlockall(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munlockall();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(nint address, nuint length, int advice);
}
