using System.Collections.Immutable;
using Cloister.Images.Build;

namespace Cloister.Images.Sources;

/// <summary>
/// Asks apt, whose lists the machine's owner keeps and whose signatures it checks, which packages belong to a list of names, and fetches them.
/// Nothing of the machine is changed, nothing is installed.
/// </summary>
internal sealed class PackageIndex(string cache)
{
    // They serve the installation of others, and nothing is installed here: apt takes them as being there.
    private static readonly string[] Installers =
    [
        "adduser", "debconf", "debconf-2.0", "dpkg", "init-system-helpers", "install-info", "lsb-base", "sysvinit-utils", "ucf", "usrmerge", "usr-is-merged",
    ];

    private static readonly string[] Common =
    [
        "-qq", "-y", "-o", "APT::Install-Recommends=false", "-o", "APT::Install-Suggests=false", "-o", "Debug::NoLocking=true", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
    ];

    /// <summary>The packages of <paramref name="names"/> with all that they depend on, by name.</summary>
    /// <param name="names">Names of packages.</param>
    /// <param name="without">Names that are taken as being there.</param>
    /// <param name="cancellation">Ends asking.</param>
    /// <exception cref="ImageException"><see cref="ImageError.PackagesUnavailable"/> with apt's words.</exception>
    public async Task<ImmutableArray<DebianPackage>> ResolveAsync(IReadOnlyCollection<string> names, IReadOnlyCollection<string> without, CancellationToken cancellation)
    {
        string status = Path.Combine(cache, $"status-{Guid.NewGuid():N}");
        Directory.CreateDirectory(cache);
        try
        {
            await File.WriteAllTextAsync(status, string.Concat(Installers.Concat(without).Except(names).Distinct().Select(Present)), cancellation);
            string uris = await AskAsync("apt-get", [.. Common, "-o", $"Dir::State::status={status}", "--print-uris", "install", .. names], cancellation);
            return await DigestsAsync([.. uris.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith('\'')).Select(Parse)], cancellation);
        }
        finally
        {
            File.Delete(status);
        }
    }

    /// <summary>Where a package's file is kept.</summary>
    public string FileOf(DebianPackage package) => Path.Combine(cache, package.Sha256 + ".deb");

    /// <summary>Fetches what is not kept yet, and checks every file's digest.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.PackagesUnavailable"/> or <see cref="ImageError.DownloadDiffers"/>.</exception>
    public async Task FetchAsync(ImmutableArray<DebianPackage> packages, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        DebianPackage[] missing = [.. packages.Where(package => !File.Exists(FileOf(package)))];
        if (missing.Length == 0) return;
        string folder = Path.Combine(cache, $"fetch-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        try
        {
            Task<string> fetching = AskAsync("apt-get", ["-qq", "download", .. missing.Select(package => $"{package.Name}={package.Version}")], cancellation, folder);
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            do
            {
                int done = Directory.EnumerateFiles(folder, "*.deb").Count();
                progress?.Report(new BuildProgress(BuildStage.Fetch, done, missing.Length, "packages"));
            }
            while (await Task.WhenAny(fetching, tick.WaitForNextTickAsync(cancellation).AsTask()) != fetching);
            await fetching;
            await KeepAsync(folder, missing, cancellation);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task KeepAsync(string folder, DebianPackage[] missing, CancellationToken cancellation)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*.deb"))
        {
            await using FileStream stream = File.OpenRead(file);
            string digest = Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(stream, cancellation));
            DebianPackage package = missing.FirstOrDefault(package => package.Sha256 == digest)
                ?? throw new ImageException(ImageError.DownloadDiffers, $"{Path.GetFileName(file)} has the SHA-256 {digest}, which is not the package's; run apt-get update, or fetch it again.");
            File.Move(file, FileOf(package), overwrite: true);
        }
        if (missing.FirstOrDefault(package => !File.Exists(FileOf(package))) is { } absent)
            throw new ImageException(ImageError.PackagesUnavailable, $"apt has not fetched {absent.Name} {absent.Version}.");
    }

    // print-uris tells no SHA-256; the index does.
    private static async Task<ImmutableArray<DebianPackage>> DigestsAsync((string Name, string Version)[] wanted, CancellationToken cancellation)
    {
        if (wanted.Length == 0) return [];
        string text = await AskAsync("apt-cache", ["show", .. wanted.Select(one => $"{one.Name}={one.Version}")], cancellation);
        var digests = new Dictionary<(string, string), string>();
        foreach (string stanza in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
            if ((Field(stanza, "Package"), Field(stanza, "Version"), Field(stanza, "SHA256")) is ({ } name, { } version, { Length: 64 } digest))
                digests.TryAdd((name, version), digest);
        return [.. wanted.OrderBy(one => one.Name, StringComparer.Ordinal).Select(one => new DebianPackage(one.Name, one.Version,
            digests.GetValueOrDefault(one) ?? throw new ImageException(ImageError.PackagesUnavailable, $"apt tells no SHA-256 for {one.Name} {one.Version}; run apt-get update.")))];
    }

    private static string? Field(string stanza, string name) =>
        stanza.Split('\n').FirstOrDefault(line => line.StartsWith(name + ": ", StringComparison.Ordinal))?[(name.Length + 2)..].Trim();

    // 'http://host/pool/x.deb' name_1%3a2.3-4_amd64.deb 1234 MD5Sum:...
    private static (string Name, string Version) Parse(string line)
    {
        string[] parts = line.Split(' ');
        string[] file = parts.Length >= 3 ? parts[1].Split('_') : [];
        return file.Length == 3 ? (file[0], Uri.UnescapeDataString(file[1])) : throw new ImageException(ImageError.PackagesUnavailable, $"apt printed '{line}', which names no package.");
    }

    private static string Present(string name) =>
        $"Package: {name}\nStatus: install ok installed\nVersion: 99:99\nArchitecture: all\nMulti-Arch: foreign\nMaintainer: none\nDescription: taken as present\n\n";

    private static async Task<string> AskAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation, string? folder = null)
    {
        try
        {
            return await Tool.RunAsync(Tool.Find(program, "apt"), arguments, cancellation, folder);
        }
        catch (ImageException failed) when (failed.Error == ImageError.ToolFailed)
        {
            throw new ImageException(ImageError.PackagesUnavailable, $"{failed.Message}\nIf the lists of packages are old or empty: apt-get update", failed);
        }
    }
}
