using Cloister.Platform.Interop;

namespace Cloister.Platform;

/// <summary>What the operating system allows this process.</summary>
public static class ProcessLimits
{
    /// <summary>How many files and sockets may be open at once; null where the system does not say.</summary>
    public static ulong? OpenFiles => OperatingSystem.IsLinux() ? LinuxInterop.OpenFiles() : null;
}
