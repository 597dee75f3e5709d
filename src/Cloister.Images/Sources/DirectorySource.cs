using Cloister.Images.Build;

namespace Cloister.Images.Sources;

/// <summary>Reads a folder or file of this machine: modes and links are kept, owners and times are not, set-user-ID bits are dropped.</summary>
internal static class DirectorySource
{
    private const int Executable = 0b001_001_001, ProgramMode = 0b111_101_101, DataMode = 0b110_100_100;

    /// <summary>Reads everything at <paramref name="path"/>.</summary>
    /// <param name="path">A folder or a file; a link is followed here, and only here.</param>
    /// <param name="contents">Where contents are kept.</param>
    /// <param name="plainModes">Whether modes become 755 and 644: of published programs they depend on the umask of who published.</param>
    /// <param name="progress">Told each file.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <exception cref="ImageException">Something cannot be read or cannot be in an image; the message has its path.</exception>
    public static async Task<SourceList> ReadAsync(string path, ContentStore contents, bool plainModes, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        string root = Path.GetFullPath(path);
        if (FileStatus.Of(root).Kind == FileKind.Link && File.ResolveLinkTarget(root, returnFinalTarget: true) is { } target) root = target.FullName;
        var items = new List<SourceItem>();
        await AddAsync(root, "", items, contents, plainModes, progress, cancellation);
        return new SourceList([.. items.OrderBy(item => item.Path, StringComparer.Ordinal)]);
    }

    private static async Task AddAsync(string path, string name, List<SourceItem> items, ContentStore contents, bool plainModes, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (items.Count >= RootTree.MaximumEntries) throw new ImageException(ImageError.SourceTooLarge, $"'{path}': more than {RootTree.MaximumEntries:N0} files and folders.");
        (FileKind kind, int mode) = FileStatus.Of(path);
        if (plainModes && kind != FileKind.Link) mode = kind == FileKind.Folder || (mode & Executable) != 0 ? ProgramMode : DataMode;
        try
        {
            switch (kind)
            {
                case FileKind.Folder:
                    items.Add(new SourceItem(name, mode));
                    foreach (string child in Directory.EnumerateFileSystemEntries(path).Order(StringComparer.Ordinal))
                        await AddAsync(child, name.Length == 0 ? Path.GetFileName(child) : $"{name}/{Path.GetFileName(child)}", items, contents, plainModes, progress, cancellation);
                    break;
                case FileKind.Link:
                    items.Add(new SourceItem(name, mode, Target: new FileInfo(path).LinkTarget ?? throw new IOException("it is a link no more")));
                    break;
                case FileKind.File:
                    progress?.Report(new BuildProgress(BuildStage.Unpack, What: path));
                    await using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan))
                        items.Add(new SourceItem(name, mode, await contents.AddAsync(file, path, cancellation)));
                    break;
                default:
                    throw new ImageException(ImageError.SourceRefused, $"'{path}' is a device, a socket or a pipe; an image holds files, folders and links. Take it away, or name the folders that are meant.");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.SourceUnreadable, $"'{path}' cannot be read: {exception.Message}", exception);
        }
    }
}
