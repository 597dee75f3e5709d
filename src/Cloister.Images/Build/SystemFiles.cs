using System.Text;

namespace Cloister.Images.Build;

/// <summary>What every root has besides its sources: folders that are mounted over, and the few files of <c>/etc</c> that programs ask for. What a source brings stays.</summary>
internal static class SystemFiles
{
    private const int Open = 0b111_101_101, Data = 0b110_100_100, All = 0b111_111_111;

    /// <summary>Completes a root for a definition.</summary>
    public static async Task PutIntoAsync(RootTree tree, ContentStore contents, ImageDefinition definition, CancellationToken cancellation)
    {
        IEnumerable<string> folders = ["/cloister", "/cloister/config", "/dev", "/etc", "/proc", "/run", "/sys", "/tmp", "/var", "/var/tmp", .. definition.Mounts.Select(mount => mount.Path), .. definition.Disks.Select(disk => disk.Path)];
        foreach (string folder in folders)
            if (tree.Find(folder) is not RootFolder) tree.PutFolder(folder, folder == "/tmp" ? All : Open);
        await AccountsAsync(tree, contents, definition, cancellation);
        await IfAbsentAsync(tree, contents, "/etc/hosts", "127.0.0.1\tlocalhost\n", cancellation);
        await IfAbsentAsync(tree, contents, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n", cancellation);
        await CertificatesAsync(tree, contents, cancellation);
    }

    // One line for root and one for each entry point's user, where the sources have none: many programs ask who they are.
    private static async Task AccountsAsync(RootTree tree, ContentStore contents, ImageDefinition definition, CancellationToken cancellation)
    {
        int[] users = [0, .. definition.Entries.Values.Select(entry => entry.User).Where(user => user != 0).Distinct().Order()];
        string passwd = await TextAsync(tree, contents, "/etc/passwd", cancellation), group = await TextAsync(tree, contents, "/etc/group", cancellation);
        foreach (int user in users)
        {
            string name = user == 0 ? "root" : $"user{user}";
            if (!HasNumber(passwd, user)) passwd += $"{name}:x:{user}:{user}:{name}:/:/usr/sbin/nologin\n";
            if (!HasNumber(group, user)) group += $"{name}:x:{user}:\n";
        }
        tree.PutFile("/etc/passwd", Data, await contents.AddAsync(Encoding.UTF8.GetBytes(passwd), cancellation));
        tree.PutFile("/etc/group", Data, await contents.AddAsync(Encoding.UTF8.GetBytes(group), cancellation));
    }

    private static bool HasNumber(string file, int number) => file.Split('\n').Any(line => line.Split(':') is { Length: > 2 } parts && parts[2] == number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    // What the package ca-certificates makes when it is installed.
    private static async Task CertificatesAsync(RootTree tree, ContentStore contents, CancellationToken cancellation)
    {
        const string Folder = "/usr/share/ca-certificates/", Bundle = "/etc/ssl/certs/ca-certificates.crt";
        if (tree.Find(Bundle) is not null) return;
        var bundle = new StringBuilder();
        foreach ((string path, RootNode node) in tree.All())
            if (path.StartsWith(Folder, StringComparison.Ordinal) && path.EndsWith(".crt", StringComparison.Ordinal) && node is RootFile file)
                bundle.Append(Encoding.UTF8.GetString(await contents.ReadAsync(file.Content, 1 << 20, cancellation)).TrimEnd('\n')).Append('\n');
        if (bundle.Length > 0) tree.PutFile(Bundle, Data, await contents.AddAsync(Encoding.UTF8.GetBytes(bundle.ToString()), cancellation));
    }

    private static async Task IfAbsentAsync(RootTree tree, ContentStore contents, string path, string text, CancellationToken cancellation)
    {
        if (tree.Find(path) is null) tree.PutFile(path, Data, await contents.AddAsync(Encoding.UTF8.GetBytes(text), cancellation));
    }

    private static async Task<string> TextAsync(RootTree tree, ContentStore contents, string path, CancellationToken cancellation)
    {
        if (tree.Find(path) is not RootFile file) return "";
        string text = Encoding.UTF8.GetString(await contents.ReadAsync(file.Content, 1 << 20, cancellation));
        return text.Length == 0 || text.EndsWith('\n') ? text : text + "\n";
    }
}
