using System.Globalization;

namespace Cloister.Images.Machines;

/// <summary>Whether this computer has the memory that a machine needs.</summary>
internal static class HostMemory
{
    /// <summary>MiB for QEMU and the TPM beside the machine's own memory.</summary>
    public const int Beside = 160;

    /// <exception cref="ImageException"><see cref="ImageError.HostMemoryTooSmall"/>, with how much is needed.</exception>
    public static void Check(int machine, long available)
    {
        if (available < machine + Beside)
            throw new ImageException(ImageError.HostMemoryTooSmall, $"The machine needs {machine + Beside} MiB: {machine} of its own and {Beside} for QEMU and the TPM. {available} MiB are available; free some, or lower machine.memory of the image.");
    }

    /// <summary>MiB that can be used without swapping: the kernel's estimate, and what the control group still allows.</summary>
    public static long Available()
    {
        long kilobytes = File.ReadLines("/proc/meminfo").Where(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).FirstOrDefault(long.MaxValue);
        return Math.Min(kilobytes / 1024, Group());
    }

    // What the group's file cache holds is given up when memory is asked for.
    private static long Group()
    {
        if (Number("/sys/fs/cgroup/memory.max") is { } limit && Number("/sys/fs/cgroup/memory.current") is { } used)
            return Math.Max(0, limit - used + Cache()) >> 20;
        return long.MaxValue;
    }

    private static long Cache() => File.ReadLines("/sys/fs/cgroup/memory.stat").Where(line => line.StartsWith("inactive_file ", StringComparison.Ordinal))
        .Select(line => long.Parse(line.AsSpan("inactive_file ".Length), CultureInfo.InvariantCulture)).FirstOrDefault();

    private static long? Number(string path) =>
        File.Exists(path) && long.TryParse(File.ReadAllText(path), NumberStyles.None | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long number) ? number : null;
}
