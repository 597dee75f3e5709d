using System.Runtime.InteropServices;

namespace Cloister.Machines;

/// <summary>A fact that boots a measured machine; skipped, with the reason, where that cannot be done.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MachineFactAttribute : FactAttribute
{
    private static readonly (string Program, string Package)[] Needed =
    [
        ("qemu-system-x86_64", "qemu-system-x86"), ("swtpm", "swtpm"), ("swtpm_setup", "swtpm-tools"), ("mksquashfs", "squashfs-tools"), ("busybox", "busybox-static"),
        ("apt-get", "apt"), ("dpkg-deb", "dpkg"),
    ];

    public MachineFactAttribute() => Skip = Reason;

    /// <summary>Why no machine can be booted here; null: it can.</summary>
    public static string? Reason { get; } = Find();

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture != Architecture.X64)
            return "Measured machines are built and booted on Linux on x64 alone.";
        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] missing = [.. Needed.Where(one => !path.Any(folder => File.Exists(Path.Combine(folder, one.Program)))).Select(one => one.Package)];
        if (missing.Length > 0)
            return $"No machine can be booted: install {string.Join(' ', missing)}.";
        return File.Exists("/usr/share/OVMF/OVMF_CODE_4M.fd") ? null : "No machine can be booted: install ovmf.";
    }
}
