using System.Collections.Immutable;
using Cloister.Images.Build;

namespace Cloister.Images.Sources;

/// <summary>Unpacks Debian packages into a root. Their scripts are not run: what those usually make, <see cref="SystemFiles"/> makes.</summary>
internal static class PackageSource
{
    private const int FolderMode = 0b111_101_101;

    // A Debian root has them as links; a package may name its files either way.
    private static readonly string[] Merged = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

    private static readonly string[] Unwanted =
    [
        "/usr/share/bug", "/usr/share/doc", "/usr/share/doc-base", "/usr/share/info", "/usr/share/linda", "/usr/share/lintian", "/usr/share/locale", "/usr/share/man", "/usr/share/menu",
        "/usr/share/bash-completion", "/usr/share/zsh", "/usr/share/fish", "/etc/init.d", "/etc/rc.d", "/etc/cron.d", "/etc/cron.daily", "/etc/cron.weekly", "/etc/logrotate.d", "/lib/systemd", "/usr/lib/systemd",
    ];

    /// <summary>Unpacks packages in their order.</summary>
    public static async Task PutIntoAsync(RootTree tree, ContentStore contents, PackageIndex index, ImmutableArray<DebianPackage> packages, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        string unpacker = Tool.Find("dpkg-deb", "dpkg");
        foreach (string name in Merged)
        {
            if (tree.Find("/" + name) is not null) continue;
            tree.PutFolder("/usr/" + name, FolderMode);
            tree.PutLink("/" + name, "usr/" + name);
        }
        int done = 0;
        foreach (DebianPackage package in packages)
        {
            progress?.Report(new BuildProgress(BuildStage.Unpack, done++, packages.Length, package.Name));
            var tar = new TarUnpacker(tree, contents, "/", new TarRules { KeepOwners = true, Wanted = IsWanted }, $"package {package.Name}");
            await Tool.RunAsync(unpacker, ["--fsys-tarfile", index.FileOf(package)], null, null, async output =>
            {
                await tar.UnpackAsync(output, cancellation);
                await output.CopyToAsync(Stream.Null, cancellation); // the padding behind the end
                return 0;
            }, cancellation);
        }
        foreach (string name in Merged)
        {
            if (tree.Find("/usr/" + name) is not RootFolder { Children.Count: 0 }) continue;
            tree.Remove("/" + name);
            tree.Remove("/usr/" + name);
        }
    }

    /// <summary>Whether a file of a package is kept: all but documentation (licences are kept), translations and what only an init system reads.</summary>
    internal static bool IsWanted(string path) =>
        (path.StartsWith("/usr/share/doc/", StringComparison.Ordinal) && path.EndsWith("/copyright", StringComparison.Ordinal))
        || !Unwanted.Any(folder => Definition.GuestPath.IsWithin(path, folder));
}
