using Cloister.Platform;

namespace Cloister.Coordinator.Stores;

/// <summary>
/// The coordinator's folder: <c>sealed_data</c>, the state under a data key, and <c>sealed_key</c>, that key under the platform's.
/// A state whose key is lost or foreign is kept as it is: then there is a reason for recovery instead of a store.
/// </summary>
internal static class SealFolder
{
    public const string KeyName = "sealed_key", DataName = "sealed_data", StoreName = "coordinator";

    /// <summary>Opens the folder, or makes it.</summary>
    /// <exception cref="StoreException">Damaged, mixed, newer, or held by another process.</exception>
    /// <exception cref="PlatformException">The platform's key exists and cannot be used.</exception>
    public static async Task<OpenedSealFolder> OpenAsync(string folder, IPlatformSealer sealer, CancellationToken cancellation)
    {
        folder = Path.GetFullPath(folder);
        CreateFolder(folder);
        FileStore data = FileStore.Open(Path.Combine(folder, DataName));
        try
        {
            return await OpenAsync(folder, data, sealer, OperatingSystemFiles.Instance, cancellation);
        }
        catch
        {
            await data.DisposeAsync();
            throw;
        }
    }

    internal static async Task<OpenedSealFolder> OpenAsync(string folder, IStore data, IPlatformSealer sealer, IFileLayer files, CancellationToken cancellation)
    {
        var opened = new OpenedSealFolder(folder, data, new DataKeyFile(Path.Combine(folder, KeyName), sealer, files), files);
        await opened.OpenAsync(cancellation);
        return opened;
    }

    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // Else a crash could take the folder itself, with everything that was acknowledged in it.
        if (Path.GetDirectoryName(folder) is { Length: > 0 } parent)
            OperatingSystemFiles.Instance.FlushFolder(parent);
    }
}
