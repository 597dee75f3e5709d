using System.IO.Enumeration;
using System.Text;
using Cloister.Platform.Interop;

namespace Cloister.Platform.Simulation;

/// <summary>A regular file of a folder that is measured.</summary>
/// <param name="FullPath">Where it is read.</param>
/// <param name="RelativePath">UTF-8, parts joined by '/'.</param>
/// <param name="Length">Its size when it was listed.</param>
internal sealed record MeasuredFile(string FullPath, byte[] RelativePath, long Length)
{
    private const int MaximumFiles = 50_000, MaximumDepth = 32;
    private const long MaximumBytes = 8L << 30;

    /// <summary>All files of a folder, sorted by the bytes of their relative paths.</summary>
    /// <exception cref="PlatformException">It holds anything but folders and regular files, or is too large.</exception>
    public static MeasuredFile[] List(string folder)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var entries = new FileSystemEnumerable<(string Path, long Length)>(
            root,
            (ref FileSystemEntry entry) => (Checked(ref entry), entry.Length),
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory || IsLink(ref entry),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !IsLink(ref entry) && (Depth(entry.Directory) < MaximumDepth ? true : throw TooLarge(root)),
        };
        var files = new List<MeasuredFile>();
        long bytes = 0;
        foreach ((string path, long length) in entries)
        {
            string relative = Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/');
            bytes += length;
            if (files.Count == MaximumFiles || bytes > MaximumBytes) throw TooLarge(root);
            files.Add(new MeasuredFile(path, Encoding.UTF8.GetBytes(relative), length));
        }
        if (files.Count == 0) throw new PlatformException(PlatformError.MeasurementEmpty, $"{root} has no files to measure.");
        files.Sort((a, b) => a.RelativePath.AsSpan().SequenceCompareTo(b.RelativePath));
        return [.. files];

        int Depth(ReadOnlySpan<char> directory) => directory[root.Length..].Count(Path.DirectorySeparatorChar);
    }

    private static PlatformException TooLarge(string root) => new(PlatformError.MeasurementTooLarge,
        $"{root} has more than {MaximumFiles} files, {MaximumBytes >> 30} GiB or {MaximumDepth} levels. Keep the program in a folder of its own.");

    private static bool IsLink(ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) != 0;

    private static string Checked(ref FileSystemEntry entry)
    {
        string path = entry.ToFullPath();
        bool regular = !IsLink(ref entry) && (!OperatingSystem.IsLinux() || LinuxInterop.IsRegularFile(path));
        return regular ? path : throw new PlatformException(PlatformError.MeasurementSpecialFile,
            $"{path} is a link or a special file; a measured folder holds regular files alone. Keep the program in a folder of its own.");
    }
}
