using Cloister.Agent.Disks;
using Cloister.Images;

namespace Cloister.Agent.Tests.Rig;

/// <summary>What the tests' executable does among mounts of its own: stages a disk's folder as a machine does, and moves it into place.</summary>
internal static class MountProgram
{
    public const string Verb = "mounts";

    /// <summary>0: it was hidden, then in place, with its size and owner; otherwise which of it failed.</summary>
    public static int Run(string place)
    {
        var disk = new DataDisk("data", place, 3, "environment:KEY", User: 1234);
        var system = new DiskSystem();
        string staged = system.Stage(disk);
        File.WriteAllText(Path.Combine(staged, "file"), "");
        if (Directory.EnumerateFileSystemEntries(place).Any()) return 2;
        if (Line(staged) is not { } mount || !mount.Contains("rw,nosuid,nodev,noexec", StringComparison.Ordinal)
            || !mount.Contains("size=3072k,nr_inodes=768,mode=700,uid=1234,gid=1234", StringComparison.Ordinal)) return 3;
        if (system.Publish(disk) != place || !File.Exists(Path.Combine(place, "file"))) return 4;
        if (Line(staged) is not null || Line(place) is null) return 5;
        string second = system.Stage(disk with { Name = "other" });
        system.Discard(disk, second);
        return Line(second) is null && Line(place) is not null ? 0 : 6;
    }

    private static string? Line(string folder) => File.ReadLines("/proc/mounts").FirstOrDefault(line => line.Split(' ')[1] == folder);
}
