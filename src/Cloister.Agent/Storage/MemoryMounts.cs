using System.Globalization;
using Cloister.Agent.Interop;
using Cloister.Images;
using Cloister.Images.Boot;

namespace Cloister.Agent.Storage;

/// <summary>Places in memory that can be written: nothing in them runs, is a device, or gives rights (tmpfs(5)).</summary>
internal static class MemoryMounts
{
    private const ulong Closed = FileCalls.NoSetUser | FileCalls.NoDevices | FileCalls.NoExecution;
    private const int RunSize = 16; // MiB

    /// <summary>Mounts the agent's own place and those of the definition, outer ones first.</summary>
    /// <exception cref="KernelException">A folder is not there, or cannot be a mount.</exception>
    public static void Mount(ImageDefinition definition)
    {
        Make(GuestPaths.Run);
        Mount(GuestPaths.Run, RunSize, user: 0, "0711"); // programs find their own folder in it, and list nothing
        foreach (MemoryMount mount in definition.Mounts.OrderBy(mount => mount.Path, StringComparer.Ordinal))
        {
            Make(mount.Path);
            Mount(mount.Path, mount.Size, mount.User, "0700");
        }
    }

    private static void Mount(string path, int size, int user, string mode)
    {
        string options = string.Create(CultureInfo.InvariantCulture, $"size={size}m,mode={mode},uid={user},gid={user}");
        KernelException.Check(FileCalls.mount("tmpfs", path, "tmpfs", Closed, options), "mount", $"The memory at {path}");
    }

    // The root brings its folders with it; below a mount, or in /run and /tmp, they are made.
    private static void Make(string path)
    {
        if (!Directory.Exists(path)) Directory.CreateDirectory(path);
    }
}
