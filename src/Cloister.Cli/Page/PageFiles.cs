using System.Collections.Frozen;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Page;

/// <summary>The files of a page, read once: what is not among them is not served, whatever a path says.</summary>
internal sealed class PageFiles
{
    private const int LimitBytes = 16 << 20;

    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".mjs"] = "text/javascript; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".wasm"] = "application/wasm",
    };

    // What the page's modules import from npm; of the packages' other files nothing is wanted.
    private static readonly string[] Installed = ["node_modules/node-seal/dist/index_throws.js", "node_modules/node-seal/dist/seal_throws.js", "node_modules/node-seal/dist/seal_throws.wasm"];

    private readonly FrozenDictionary<string, (string Type, byte[] Bytes)> _files;

    private PageFiles(FrozenDictionary<string, (string, byte[])> files) => _files = files;

    /// <summary>Reads the files beside index.html, and what the page has installed.</summary>
    public static async Task<PageFiles> ReadAsync(string folder, CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(folder, "index.html")))
            throw new CommandException(ExitCode.BadInput, $"'{folder}' holds no page: there is no index.html.");
        if (Installed.FirstOrDefault(file => !File.Exists(Path.Combine(folder, file))) is { } missing)
            throw new CommandException(ExitCode.BadInput, $"'{Path.Combine(folder, missing)}' is missing: run '{Path.Combine(folder, "install")}' once.");
        var files = new Dictionary<string, (string, byte[])>(StringComparer.Ordinal);
        IEnumerable<string> own = Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Where(name => Types.ContainsKey(Path.GetExtension(name)));
        foreach (string name in own.Concat(Installed))
            files["/" + name] = (Types[Path.GetExtension(name)], await LocalFile.ReadAsync(Path.Combine(folder, name), cancellation, LimitBytes));
        files["/"] = files["/index.html"];
        return new PageFiles(files.ToFrozenDictionary(StringComparer.Ordinal));
    }

    public bool TryGet(string path, out (string Type, byte[] Bytes) file) => _files.TryGetValue(path, out file);
}
