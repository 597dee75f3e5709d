using Cloister.Sealing;

namespace Cloister.Workload;

/// <summary>Writes the manifest's files: each 0600 in folders of 0700, whole or not at all, never through a link that somebody else may have planted.</summary>
internal static class ParameterFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OthersMayWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Writes every file; a relative path is taken from <paramref name="workingFolder"/>.</summary>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.ParameterFile"/>, with the path; files before it stay written.</exception>
    public static void Write(IReadOnlyDictionary<string, SecretBytes> files, string workingFolder)
    {
        foreach (var (path, content) in files.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            if (path.Length is 0 or > 4096 || path.Contains('\0', StringComparison.Ordinal) || path.EndsWith('/'))
                throw Refused(path, "it is not the path of a file");
            try
            {
                WriteOne(Path.GetFullPath(path, workingFolder), content.Span);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Refused(path, e.Message, e);
            }
        }
    }

    private static void WriteOne(string path, ReadOnlySpan<byte> content)
    {
        string folder = Path.GetDirectoryName(path) ?? throw Refused(path, "it is a root folder");
        RefusePlantedLinks(folder);
        CreateFolder(folder);
        if (new FileInfo(path).LinkTarget is not null)
            throw Refused(path, "a symbolic link stands there; remove it");
        if (Directory.Exists(path))
            throw Refused(path, "a folder stands there");

        string aside = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        try
        {
            using (var file = new FileStream(aside, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    // One by one, because the mode is given to the last of a path alone.
    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (Path.GetDirectoryName(folder) is { } parent)
            CreateFolder(parent);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
    }

    // A link in a folder that only its owner writes to was made by that owner (/var/run is one); in a folder that
    // others write to it may be anybody's, and would send a secret where they read it.
    private static void RefusePlantedLinks(string folder)
    {
        for (string? path = folder; Path.GetDirectoryName(path) is { } parent; path = parent)
        {
            if (new DirectoryInfo(path).LinkTarget is null)
                continue;
            if (OperatingSystem.IsWindows() || (File.GetUnixFileMode(parent) & OthersMayWrite) != 0)
                throw Refused(path, $"it is a symbolic link in '{parent}', which others may write to");
        }
    }

    private static WorkloadException Refused(string path, string why, Exception? inner = null) =>
        new(WorkloadError.ParameterFile, $"The manifest's file '{path}' was not written: {why}.", inner);
}
