using System.Runtime.InteropServices;
using Cloister.Sealing;

namespace Cloister.Images.Build;

/// <summary>
/// A folder that is filled under a temporary name beside its place and comes to its place whole, or not at all. What a killed process left
/// is taken away by the next.
/// </summary>
internal sealed partial class OutputFolder : IDisposable
{
    private const string LockName = ".building";
    private const int CurrentFolder = -100, Exchange = 2;

    private readonly FileStream _held;
    private readonly string _target;

    private OutputFolder(string target, string temporary, FileStream held) => (_target, Path, _held) = (target, temporary, held);

    /// <summary>The temporary folder.</summary>
    public string Path { get; }

    /// <summary>Makes the temporary folder.</summary>
    /// <param name="target">The place.</param>
    /// <param name="isOurs">Whether a folder that is there may be replaced.</param>
    /// <exception cref="ImageException"><see cref="ImageError.AlreadyExists"/>: something else is there.</exception>
    public static OutputFolder Begin(string target, Func<string, bool> isOurs)
    {
        target = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any() && !isOurs(target)))
            throw new ImageException(ImageError.AlreadyExists, $"'{target}' exists and is no image: it is not overwritten. Name another place, or take it away.");
        string parent = System.IO.Path.GetDirectoryName(target) ?? throw new ImageException(ImageError.AlreadyExists, "an image is no file system's root.");
        Directory.CreateDirectory(parent);
        string name = System.IO.Path.GetFileName(target);
        foreach (string left in Directory.EnumerateDirectories(parent, $".{name}.*{AtomicFile.TemporarySuffix}"))
            TakeAwayIfStale(left);
        string temporary = System.IO.Path.Combine(parent, $".{name}.{Guid.NewGuid():N}{AtomicFile.TemporarySuffix}");
        Directory.CreateDirectory(temporary);
        return new OutputFolder(target, temporary, new FileStream(System.IO.Path.Combine(temporary, LockName), FileMode.CreateNew, FileAccess.Write, FileShare.None));
    }

    /// <summary>Brings the folder to its place, in one step where something is there already.</summary>
    public void Publish()
    {
        foreach (string file in Directory.EnumerateFiles(Path).Where(file => System.IO.Path.GetFileName(file) != LockName))
            using (var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read))
                RandomAccess.FlushToDisk(stream.SafeFileHandle);
        File.Delete(System.IO.Path.Combine(Path, LockName));
        AtomicFile.FlushFolder(Path);
        if (!Directory.Exists(_target)) Directory.Move(Path, _target);
        else if (Rename(CurrentFolder, Path, CurrentFolder, _target, Exchange) != 0)
            throw new IOException($"'{_target}' could not be replaced: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        AtomicFile.FlushFolder(System.IO.Path.GetDirectoryName(_target)!);
    }

    /// <summary>Takes away what is left under the temporary name: an unfinished image, or the one that was replaced.</summary>
    public void Dispose()
    {
        _held.Dispose();
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }

    // Who works in it holds its lock; the system lets go of it when the process ends, however it ends.
    private static void TakeAwayIfStale(string folder)
    {
        try
        {
            string file = System.IO.Path.Combine(folder, LockName);
            if (File.Exists(file)) new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.None).Dispose();
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            return; // another build works in it
        }
    }

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);
}
