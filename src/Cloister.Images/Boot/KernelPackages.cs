using System.Security.Cryptography;
using Cloister.Images.Build;

namespace Cloister.Images.Boot;

/// <summary>
/// Fetches the pinned kernel, stub and libraries from Debian, once: <c>apt-get download</c>, then <c>dpkg-deb -x</c>. Nothing is installed. Every
/// file is checked against digests that are part of this program, after the download and again whenever it is taken from the cache.
/// </summary>
public static class KernelPackages
{
    /// <summary>Fetches the packages, or takes them from the cache. Several builds may do so at once.</summary>
    /// <param name="cache">A folder of one's own; the packages go to <c>packages/</c> in it. Where nothing can be downloaded, the .deb files may be laid there by hand.</param>
    /// <param name="progress">Told what is fetched.</param>
    /// <param name="cancellation">Ends fetching.</param>
    /// <exception cref="ImageException">A tool, the version or the network is missing, or a file is not the pinned one; the message says what to do.</exception>
    public static Task<KernelFiles> FetchAsync(string cache, IProgress<BuildProgress>? progress, CancellationToken cancellation) => FetchAsync(KernelPins.Read(), cache, progress, cancellation);

    internal static async Task<KernelFiles> FetchAsync(KernelPins pins, string cache, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        string packages = Path.Combine(Path.GetFullPath(cache), "packages");
        string final = Path.Combine(packages, $"kernel-{pins.Name}");
        if (Find(pins, final) is { } cached) return cached;

        Directory.CreateDirectory(packages);
        string temporary = Path.Combine(packages, $".kernel-{Path.GetRandomFileName()}");
        try
        {
            Directory.CreateDirectory(temporary);
            for (int i = 0; i < pins.Packages.Length; i++)
            {
                progress?.Report(new BuildProgress(BuildStage.Fetch, i, pins.Packages.Length, $"{pins.Packages[i].Name} {pins.Packages[i].Version}"));
                string file = await GetAsync(pins.Packages[i], packages, temporary, cancellation);
                await Tool.RunAsync(Tool.Find("dpkg-deb", "dpkg"), ["-x", file, temporary], cancellation);
                if (file.StartsWith(temporary, StringComparison.Ordinal)) File.Delete(file);
            }
            if (Find(pins, temporary) is null) throw new ImageException(ImageError.DownloadDiffers, $"Kernel, stub, modules or libraries in {string.Join(" and ", pins.Packages.Select(package => package.File))} are not the pinned ones.");
            return Publish(pins, temporary, final);
        }
        catch (IOException failed)
        {
            throw new ImageException(ImageError.PackagesUnavailable, $"The packages cannot be kept in {packages}: {failed.Message}", failed);
        }
        catch (UnauthorizedAccessException failed)
        {
            throw new ImageException(ImageError.PackagesUnavailable, $"The packages cannot be kept in {packages}: {failed.Message}", failed);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    // The last step is a rename: a folder of the final name is whole, whoever made it.
    private static KernelFiles Publish(KernelPins pins, string temporary, string final)
    {
        if (Directory.Exists(final) && Find(pins, final) is null) Directory.Delete(final, recursive: true);
        if (!Directory.Exists(final))
        {
            try
            {
                Directory.Move(temporary, final);
            }
            catch (IOException) when (Find(pins, final) is not null)
            {
                // Another build was faster.
            }
        }
        return Find(pins, final) ?? throw new ImageException(ImageError.DownloadDiffers, $"{final} was changed while it was written.");
    }

    private static KernelFiles? Find(KernelPins pins, string folder)
    {
        var files = new KernelFiles(Path.Combine(folder, pins.Kernel), Path.Combine(folder, pins.Stub), Path.Combine(folder, pins.Modules),
            [.. pins.Libraries.Select(library => Path.Combine(folder, library))], pins.Packages);
        if (!Directory.Exists(files.Modules) || !Is(files.Vmlinuz, pins.KernelSha256) || !Is(files.Stub, pins.StubSha256)) return null;
        try
        {
            return ModulesDigest(files.Modules) == pins.ModulesSha256 && Digest(files.Libraries) == pins.LibrariesSha256 ? files : null;
        }
        catch (ImageException)
        {
            return null;
        }
    }

    internal static string ModulesDigest(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (KernelModule module in KernelModules.Resolve(folder, [.. KernelModules.Needed, .. KernelModules.Optional])) hash.AppendData(module.Content.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Digest(IEnumerable<string> paths)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in paths)
            if (File.Exists(path)) hash.AppendData(File.ReadAllBytes(path));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task<string> GetAsync(PinnedPackage package, string packages, string temporary, CancellationToken cancellation)
    {
        string laid = Path.Combine(packages, package.File);
        if (Is(laid, package.Sha256)) return laid;
        string advice = $"Run 'apt-get update', or lay {package.File} (SHA-256 {package.Sha256}) into {packages}.";
        try
        {
            await Tool.RunAsync(Tool.Find("apt-get", "apt"), ["download", "-q", $"{package.Name}={package.Version}"], cancellation, temporary);
        }
        catch (ImageException failed) when (failed.Error == ImageError.ToolFailed)
        {
            throw new ImageException(ImageError.PackagesUnavailable, $"{package.Name} {package.Version} cannot be downloaded. {advice} {failed.Message}", failed);
        }
        string[] got = Directory.GetFiles(temporary, package.Name + "_*.deb");
        return got is [var only] && Is(only, package.Sha256) ? only : throw new ImageException(ImageError.DownloadDiffers, $"What was downloaded as {package.Name} {package.Version} is not the pinned file. {advice}");
    }

    private static bool Is(string path, string sha256)
    {
        if (!File.Exists(path)) return false;
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file)) == sha256;
    }
}
