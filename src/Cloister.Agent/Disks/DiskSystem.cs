using System.Globalization;
using Cloister.Agent.Interop;
using Cloister.Images;
using Cloister.Images.Boot;
using Cloister.Images.Volumes;

namespace Cloister.Agent.Disks;

/// <summary>What opening and committing disks needs of the machine, or in tests something in its place.</summary>
internal sealed record DiskSystem
{
    private const string Staging = GuestPaths.Run + "/disks.staging";
    private const ulong Closed = FileCalls.NoSetUser | FileCalls.NoDevices | FileCalls.NoExecution;

    /// <summary>Opens the device of a disk.</summary>
    public Func<DataDisk, IBlockDevice> Device { get; init; } = disk => BlockDeviceFile.Open(new DiskDevices().Find(disk.Name));

    /// <summary>Makes an empty folder that only the agent sees, with a disk's size and owner.</summary>
    public Func<DataDisk, string> Stage { get; init; } = StageMemory;

    /// <summary>Puts the staged folder where programs see it, and answers where that is.</summary>
    public Func<DataDisk, string> Publish { get; init; } = MoveMemory;

    /// <summary>Gives up the folder of a disk that was refused, or that is staged or published beside one.</summary>
    public Action<DataDisk, string> Discard { get; init; } = static (_, folder) =>
        KernelException.Check(FileCalls.umount2(folder, FileCalls.Detach), "umount2", $"The memory at {folder}");

    /// <summary>Has every program stand still until the result is disposed.</summary>
    public Func<CancellationToken, Task<IDisposable>> Pause { get; init; } = cancellation => ProgramPause.BeginAsync(TimeProvider.System, cancellation);

    /// <summary>The socket through which programs ask for commits; null for none.</summary>
    public string? Requests { get; init; } = GuestPaths.Run + "/disks";

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    // Nothing in it runs, is a device or gives rights; no more entries than a commit takes.
    private static string StageMemory(DataDisk disk)
    {
        string folder = Path.Combine(Staging, disk.Name);
        Directory.CreateDirectory(Staging, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(folder);
        string options = string.Create(CultureInfo.InvariantCulture,
            $"size={disk.Size}m,nr_inodes={new DiskLayout(disk.Size).MaxEntries},mode=0700,uid={disk.User},gid={disk.User}");
        KernelException.Check(FileCalls.mount("tmpfs", folder, "tmpfs", Closed, options), "mount", $"The memory at {folder}");
        return folder;
    }

    private static string MoveMemory(DataDisk disk)
    {
        if (!Directory.Exists(disk.Path)) Directory.CreateDirectory(disk.Path);
        KernelException.Check(FileCalls.mount(Path.Combine(Staging, disk.Name), disk.Path, "tmpfs", FileCalls.Move, null), "mount", $"The memory at {disk.Path}");
        return disk.Path;
    }
}
