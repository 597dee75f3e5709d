using System.Runtime.Versioning;
using Cloister.Attestation.Measurements;
using Cloister.Images.Build;
using Cloister.Images.Volumes;

namespace Cloister.Images.Machines;

/// <summary>The files behind a machine's disks, but for its root.</summary>
[SupportedOSPlatform("linux")]
internal static class MachineDisks
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes data disks that are not there, empty and sparse, and the disk of the firmware's where it boots from one.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskInvalid"/>.</exception>
    public static void Prepare(MachinePlan plan, MachineOptions options, MachineFolder folder)
    {
        foreach ((DataDisk disk, string file) in plan.Disks)
            Prepare(disk.Name, file, SizeOf(disk));
        if (options.Boot == BootPath.Disk)
            File.WriteAllBytes(folder.In("esp.img"), BootDisk.Make(File.ReadAllBytes(plan.Uki)));
    }

    private static long SizeOf(DataDisk disk) => new DiskLayout(disk.Size).DiskSize;

    private static void Prepare(string name, string file, long size)
    {
        if (Directory.Exists(file))
            throw new ImageException(ImageError.DiskInvalid, $"Disk '{name}': '{file}' is a folder.");
        var there = new FileInfo(file);
        if (there.Exists && there.Length != size)
            throw new ImageException(ImageError.DiskInvalid, $"Disk '{name}': '{file}' has {there.Length:N0} bytes, the image's has {size:N0}. It is another image's; name another file.");
        if (there.Exists)
            return;
        try
        {
            string unfinished = $"{file}.{Environment.ProcessId}.new";
            using (var made = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = Private }))
                made.SetLength(size);
            File.Move(unfinished, file);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.DiskInvalid, $"Disk '{name}': '{file}' cannot be made: {refused.Message}", refused);
        }
    }
}
