using System.Collections.Immutable;
using Cloister.Images.Build;
using Cloister.Images.Definition;

namespace Cloister.Images.Sources;

/// <summary>Something that is made into an image: where its files come from, and how it wants to be started.</summary>
/// <param name="Files">The source, as a definition names it.</param>
/// <param name="Entry">The entry point.</param>
/// <param name="Ports">TCP ports that it listens on.</param>
/// <param name="Volumes">Folders that it writes to.</param>
/// <param name="Notes">What a person should know about it.</param>
public sealed record ImportedSource(FileSource Files, EntryPoint Entry, ImmutableArray<int> Ports, ImmutableArray<string> Volumes, ImmutableArray<string> Notes)
{
    private const string Debian = "debian:";

    /// <summary>Looks at a source.</summary>
    /// <param name="source">An archive's file, a directory, or <c>debian:</c> and names of packages with commas between them.</param>
    /// <param name="command">What starts; an archive says it itself if this is empty.</param>
    /// <param name="cancellation">Ends reading.</param>
    /// <exception cref="ImageException">The source cannot be read, or says no program to start.</exception>
    public static async Task<ImportedSource> ReadAsync(string source, IReadOnlyList<string> command, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentNullException.ThrowIfNull(command);
        if (!source.StartsWith(Debian, StringComparison.Ordinal) && !Directory.Exists(source))
            return await ArchiveAsync(source, command, cancellation);
        if (command.Count == 0) throw new ImageException(ImageError.ProgramMissing, "say what starts, after two dashes: -- and the program's path inside, then its arguments.");
        FileSource files = source.StartsWith(Debian, StringComparison.Ordinal)
            ? new FileSource { Packages = [.. source[Debian.Length..].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)] }
            : new FileSource { Directory = Path.GetFullPath(source) };
        return new ImportedSource(files, new EntryPoint { Command = [.. command] }, [], [], []);
    }

    private static async Task<ImportedSource> ArchiveAsync(string path, IReadOnlyList<string> command, CancellationToken cancellation)
    {
        string full = Path.GetFullPath(path), what = Path.GetFileName(path), folder = Directory.CreateTempSubdirectory("cloister-import-").FullName;
        try
        {
            await using FileStream tar = ContainerArchive.OpenFile(full);
            ContainerArchive archive = await ContainerArchive.OpenAsync(tar, what, cancellation);
            await using var contents = new ContentStore(folder);
            var tree = new RootTree();
            await archive.PutIntoAsync(tree, contents, "/", null, cancellation);
            ContainerConfiguration configuration = archive.Configuration;
            if (command.Count > 0) configuration = configuration with { Command = [.. command] };
            EntryPoint entry = await configuration.ToEntryAsync(tree, contents, cancellation);
            var notes = new List<string>();
            string user = configuration.User.Split(':')[0];
            if (user is "" or "0" or "root") notes.Add($"it runs as root in a container; here it runs as user {entry.User}, who has no rights.");
            ImmutableArray<string> volumes = [.. configuration.Volumes.Where(volume => GuestPath.Problem(volume) is null)];
            if (volumes.Length > 0) notes.Add($"it writes to {string.Join(", ", volumes)}: memory that is empty at every start, unless you make it a disk.");
            return new ImportedSource(new FileSource { Archive = full }, entry, configuration.Ports, volumes, [.. notes]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
