using Cloister.Platform.Interop;

namespace Cloister.Platform;

/// <summary>
/// Pages that hold secrets: kept out of swap as far as the system's limit on locked memory allows, and out of core dumps, until
/// this object is disposed of. Whoever owns the pages zeroes them first.
/// </summary>
public sealed class LockedMemory : IDisposable
{
    private readonly nint _address;
    private readonly nuint _length;
    private int _ended;

    private LockedMemory(nint address, nuint length, string? problem)
    {
        _address = address;
        _length = length;
        Problem = problem;
    }

    /// <summary>Whether the pages cannot reach swap.</summary>
    public bool IsLocked => Problem is null;

    /// <summary>Why they could not be locked; null if they are.</summary>
    public string? Problem { get; }

    /// <summary>Locks whole pages. Locks do not count: two over one page end together.</summary>
    /// <param name="address">Where the pages begin, on a page's boundary.</param>
    /// <param name="length">How many bytes they are.</param>
    /// <returns>The protection; it says itself whether the system gave all of it.</returns>
    public static LockedMemory Over(nint address, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (address % Environment.SystemPageSize != 0) throw new ArgumentException("Memory is locked page by page.", nameof(address));
        if (!OperatingSystem.IsLinux()) return new LockedMemory(address, (nuint)length, "memory is locked on Linux only");
        LinuxMemory.Dumped(address, (nuint)length, dumped: false);
        return new LockedMemory(address, (nuint)length, length == 0 ? null : LinuxMemory.Lock(address, (nuint)length));
    }

    /// <summary>
    /// Locks all memory of the process, also what it takes later, each page when it is first touched: what native libraries copy, and what
    /// passes through managed memory. The system must allow unlimited locked memory; the lock lasts as long as the process.
    /// </summary>
    /// <returns>Why it could not be done; null if it was.</returns>
    public static string? LockProcess() => OperatingSystem.IsLinux() ? LinuxMemory.LockAll() : "memory is locked on Linux only";

    /// <summary>Gives the pages back to the system's care.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0 || !OperatingSystem.IsLinux()) return;
        if (IsLocked) LinuxMemory.Unlock(_address, _length);
        LinuxMemory.Dumped(_address, _length, dumped: true);
    }
}
