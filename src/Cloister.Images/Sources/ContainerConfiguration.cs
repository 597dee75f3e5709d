using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cloister.Images.Build;

namespace Cloister.Images.Sources;

/// <summary>How a container image wants to be started (OCI image specification 1.1, config.md).</summary>
internal sealed record ContainerConfiguration
{
    public ImmutableArray<string> Command { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public string Directory { get; init; } = "/";

    public string User { get; init; } = "";

    /// <summary>TCP ports that it says it listens on.</summary>
    public ImmutableArray<int> Ports { get; init; } = [];

    /// <summary>Folders that it says it writes to.</summary>
    public ImmutableArray<string> Volumes { get; init; } = [];

    public static ContainerConfiguration Read(JsonElement document)
    {
        if (!document.TryGetProperty("config", out JsonElement config) || config.ValueKind != JsonValueKind.Object) return new();
        string directory = Text(config, "WorkingDir");
        return new ContainerConfiguration
        {
            Command = [.. Texts(config, "Entrypoint"), .. Texts(config, "Cmd")],
            Environment = Texts(config, "Env").Select(one => one.Split('=', 2)).Where(parts => parts.Length == 2).DistinctBy(parts => parts[0])
                .ToImmutableSortedDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal),
            Directory = directory.Length > 1 ? directory.TrimEnd('/') : "/",
            User = Text(config, "User"),
            Ports = [.. Names(config, "ExposedPorts").Where(port => !port.EndsWith("/udp", StringComparison.Ordinal)).Select(port => int.TryParse(port.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0).Where(port => port is > 0 and <= 65535).Distinct()],
            Volumes = [.. Names(config, "Volumes")],
        };
    }

    /// <summary>The entry point that it asks for, in a root that holds it.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ProgramMissing"/> if it names no program.</exception>
    public async Task<EntryPoint> ToEntryAsync(RootTree tree, ContentStore contents, CancellationToken cancellation)
    {
        if (Command.IsEmpty) throw new ImageException(ImageError.ProgramMissing, "the archive says no program to start; write an entry point yourself.");
        return new EntryPoint
        {
            Command = [Find(tree, Command[0]), .. Command.Skip(1)],
            Directory = Directory,
            Environment = Environment,
            User = await UserAsync(tree, contents, cancellation),
        };
    }

    private string Find(RootTree tree, string program)
    {
        if (program.StartsWith('/')) return program;
        if (program.Contains('/', StringComparison.Ordinal)) return SourceList.Join(Directory, program.StartsWith("./", StringComparison.Ordinal) ? program[2..] : program);
        string[] folders = Environment.GetValueOrDefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return folders.Select(folder => $"{folder}/{program}").FirstOrDefault(path => tree.Find(path) is RootFile)
            ?? throw new ImageException(ImageError.ProgramMissing, $"the archive starts '{program}', which is in none of {string.Join(", ", folders)}.");
    }

    // "1000", "1000:1000", "name" or nothing. Root becomes the standard user: programs do not run as root.
    private async Task<int> UserAsync(RootTree tree, ContentStore contents, CancellationToken cancellation)
    {
        string user = User.Split(':')[0];
        if (!int.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && user.Length > 0 && tree.Find("/etc/passwd") is RootFile file)
        {
            string passwd = Encoding.UTF8.GetString(await contents.ReadAsync(file.Content, 1 << 20, cancellation));
            string[]? line = passwd.Split('\n').Select(line => line.Split(':')).FirstOrDefault(parts => parts.Length > 2 && parts[0] == user);
            _ = int.TryParse(line?[2], NumberStyles.None, CultureInfo.InvariantCulture, out number);
        }
        return number is > 0 and <= 65534 ? number : 1000;
    }

    private static string Text(JsonElement config, string name) => config.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static IEnumerable<string> Texts(JsonElement config, string name) =>
        config.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(one => one.GetString() ?? "") : [];

    private static IEnumerable<string> Names(JsonElement config, string name) =>
        config.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().Select(one => one.Name).Order(StringComparer.Ordinal) : [];
}
