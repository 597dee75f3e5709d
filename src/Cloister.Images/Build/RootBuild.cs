using System.Collections.Immutable;
using Cloister.Images.Boot;
using Cloister.Images.Definition;
using Cloister.Images.Sources;

namespace Cloister.Images.Build;

/// <summary>Builds a definition's root: sources, what every root has, agent, launchers; then the filesystem and its tree.</summary>
internal sealed class RootBuild(ImageDefinition definition, string folder, string programs, string cache, ContentStore contents, IProgress<BuildProgress>? progress)
{
    /// <summary>The folder of the agent and of each kind of programs, under the folder of programs.</summary>
    private const string AgentFolder = "agent";

    private const int ProgramMode = 0b111_101_101;

    private readonly List<LockedInput> _inputs = [];
    private readonly RootTree _tree = new();

    /// <summary>The shared libraries that go beside the agent.</summary>
    public ImmutableArray<string> AgentLibraries { get; init; } = [];

    /// <summary>Where the image goes; it cannot lie in one of its own sources.</summary>
    public string? Output { get; init; }

    /// <summary>What went in so far.</summary>
    public IReadOnlyList<LockedInput> Inputs => _inputs;

    /// <summary>The packages that the definition asks for, and with a minus those that are left out.</summary>
    public static ImmutableArray<string> Request(ImageDefinition definition) =>
    [
        .. definition.Files.SelectMany(source => source.Packages).Distinct().Order(StringComparer.Ordinal),
        .. definition.Files.SelectMany(source => source.Without).Distinct().Order(StringComparer.Ordinal).Select(name => "-" + name),
    ];

    /// <summary>Who writes roots; of another version the bytes may be others.</summary>
    public static async Task<LockedInput> ToolAsync(CancellationToken cancellation) => new("tool", "squashfs-tools", await RootWriter.Find().VersionAsync(cancellation), "");

    /// <summary>Reads all sources into the tree.</summary>
    /// <param name="locked">Whose packages are taken as they are, if it answers the same request; null: apt is asked.</param>
    /// <param name="cancellation">Ends building.</param>
    public async Task CollectAsync(ImageLock? locked, CancellationToken cancellation)
    {
        if (!Directory.Exists(Path.Combine(programs, AgentFolder)))
            throw new ImageException(ImageError.SourceUnreadable, $"'{programs}' has no folder '{AgentFolder}': the programs that go into machines are not published. Name their folder with --programs or CLOISTER_GUEST.");
        bool unpacked = false;
        foreach (FileSource source in definition.Files)
        {
            if (source.Directory is { } directory) await DirectoryAsync(directory, source.To, cancellation);
            else if (source.Archive is { } archive) await ArchiveAsync(archive, source.To, cancellation);
            else if (source.Programs is { } name) await ProgramsAsync(name, source.To, cancellation);
            else if (!unpacked) await PackagesAsync(locked, cancellation);
            unpacked |= !source.Packages.IsEmpty;
        }
        _tree.Remove("/cloister");
        await SystemFiles.PutIntoAsync(_tree, contents, definition, cancellation);
        await ProgramsAsync(AgentFolder, AgentProgram.Folder, cancellation);
        await CompleteAgentAsync(cancellation);
        foreach ((string name, EntryPoint entry) in definition.Entries)
            _tree.PutFile($"{GuestPaths.Launchers}/{name}", ProgramMode, await contents.AddAsync(Launcher.Build(entry, definition.Debug), cancellation));
        await ProgramChecks.CheckAsync(_tree, contents, definition, cancellation);
    }

    /// <summary>Writes the root and its tree, or takes the one that was built of the same things before.</summary>
    public async Task<RootDisk> WriteAsync(string path, CancellationToken cancellation)
    {
        var writer = RootWriter.Find();
        string version = await writer.VersionAsync(cancellation);
        var kept = new RootCache(Path.Combine(cache, "roots"));
        string key = RootCache.Key(_tree, $"{RootWriter.Form} {version}");
        if (await kept.TakeAsync(key, path, cancellation) is { } disk)
        {
            progress?.Report(new BuildProgress(BuildStage.Verity, What: "the root is as before"));
            return disk;
        }
        await writer.WriteAsync(_tree, contents, path, progress, cancellation);
        disk = await VerityTree.AppendAsync(path, progress, cancellation);
        await kept.KeepAsync(key, disk, cancellation);
        return disk;
    }

    // An agent that runs in any root: its loader and libraries are its own.
    private async Task CompleteAgentAsync(CancellationToken cancellation)
    {
        foreach (string library in AgentLibraries)
            _tree.PutFile($"{AgentProgram.Folder}/{AgentProgram.NameOf(library)}", ProgramMode, await contents.AddAsync(await File.ReadAllBytesAsync(library, cancellation), cancellation));
        if (AgentLibraries.IsEmpty || _tree.Find(GuestPaths.Agent) is not RootFile agent) return;
        using var program = new MemoryStream();
        await using (Stream stream = contents.Open(agent.Content))
            await stream.CopyToAsync(program, cancellation);
        _tree.PutFile(GuestPaths.Agent, ProgramMode, await contents.AddAsync(AgentProgram.WithOwnLoader(program.ToArray()), cancellation));
    }

    private async Task DirectoryAsync(string directory, string to, CancellationToken cancellation)
    {
        string path = Path.GetFullPath(Path.Combine(folder, directory));
        if (Output is { } output && GuestPath.IsWithin(Path.GetFullPath(output), Path.TrimEndingDirectorySeparator(path)))
            throw new ImageException(ImageError.SourceRefused, $"'{path}' holds '{output}', where the image goes: an image cannot be part of itself. Name another place with --output, or a folder below.");
        SourceList list = await ReadAsync(path, false, cancellation);
        bool single = list.Items is [{ Content: not null }];
        if (single && to == "/") to = "/" + Path.GetFileName(directory);
        list.PutInto(_tree, to);
        // Not its path on this machine: images of two folders with the same content are the same.
        _inputs.Add(new LockedInput("directory", Path.IsPathRooted(directory) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)) : directory, "", list.Sha256));
    }

    private async Task ProgramsAsync(string name, string to, CancellationToken cancellation)
    {
        string path = Path.Combine(programs, name);
        if (!Directory.Exists(path)) throw new ImageException(ImageError.SourceUnreadable, $"'{programs}' has no folder '{name}': publish the programs that go into machines, or name their folder with --programs.");
        SourceList list = await ReadAsync(path, true, cancellation);
        list.PutInto(_tree, to);
        _inputs.Add(new LockedInput("programs", name, "", list.Sha256));
    }

    private Task<SourceList> ReadAsync(string path, bool plainModes, CancellationToken cancellation) => DirectorySource.ReadAsync(path, contents, plainModes, progress, cancellation);

    private async Task ArchiveAsync(string archive, string to, CancellationToken cancellation)
    {
        await using FileStream tar = ContainerArchive.OpenFile(Path.Combine(folder, archive));
        string digest = Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(tar, cancellation));
        ContainerArchive container = await ContainerArchive.OpenAsync(tar, Path.GetFileName(archive), cancellation);
        await container.PutIntoAsync(_tree, contents, to, progress, cancellation);
        _inputs.Add(new LockedInput("archive", Path.IsPathRooted(archive) ? Path.GetFileName(archive) : archive, "", digest));
    }

    private async Task PackagesAsync(ImageLock? locked, CancellationToken cancellation)
    {
        ImmutableArray<string> request = Request(definition);
        var index = new PackageIndex(Path.Combine(cache, "packages"));
        progress?.Report(new BuildProgress(BuildStage.Fetch, What: "asking apt"));
        ImmutableArray<DebianPackage> packages = locked is not null && locked.Request.SequenceEqual(request)
            ? [.. locked.Inputs.Where(input => input.Kind == "package").Select(input => new DebianPackage(input.Name, input.Version, input.Sha256))]
            : await index.ResolveAsync([.. request.Where(name => name[0] != '-')], [.. request.Where(name => name[0] == '-').Select(name => name[1..])], cancellation);
        try
        {
            await index.FetchAsync(packages, progress, cancellation);
        }
        catch (ImageException gone) when (locked is not null && gone.Error is ImageError.PackagesUnavailable or ImageError.DownloadDiffers)
        {
            throw new ImageException(ImageError.LockDiffers, $"a package of image.lock is no longer to be had: {gone.Message}\nTo take the versions of today: build with --update", gone);
        }
        await PackageSource.PutIntoAsync(_tree, contents, index, packages, progress, cancellation);
        _inputs.AddRange(packages.Select(package => new LockedInput("package", package.Name, package.Version, package.Sha256)));
    }
}
