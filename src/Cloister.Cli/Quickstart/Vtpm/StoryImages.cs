using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>The two images of the story: what each may do stands in its definition, and is measured with it.</summary>
internal sealed class StoryImages(Workspace workspace)
{
    /// <summary>MiB of memory of each machine.</summary>
    public const int Memory = 640;

    public const int ClientPort = 4433, MeshPort = 2001, ServingPort = 8501;

    private const string Cloister = "/opt/cloister/cloister", Tpm = "/dev/tpmrm0", State = "/state", PolicyName = "coordinator-policy.json", StoreName = "store";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public string Coordinator => Path.Combine(workspace.Operator, "coordinator-image");

    public string Workload => Path.Combine(workspace.Operator, "workload-image");

    /// <summary>Where the image of a definition's folder is built.</summary>
    public static string Built(string folder) => Path.Combine(folder, "image");

    /// <summary>Writes the coordinator's definition: it takes manifests of this operator alone.</summary>
    public Task WriteCoordinatorAsync(string operatorKey, CancellationToken cancellation) => WriteAsync(Coordinator, new JsonObject
    {
        ["name"] = "coordinator",
        ["machine"] = new JsonObject { ["memory"] = Memory },
        ["start"] = "coordinator",
        ["entries"] = new JsonObject
        {
            ["coordinator"] = Entry([
                "coordinator", "run", "--tpm", Tpm, "--client-address", $"0.0.0.0:{ClientPort}", "--mesh-address", $"0.0.0.0:{MeshPort}",
                "--seal-folder", State + "/state", "--host-key-folder", State + "/host-key", "--owner-key", operatorKey,
            ]),
        },
        ["files"] = Files(),
        ["network"] = new JsonObject { ["listen"] = new JsonArray(ClientPort, MeshPort) },
        ["mounts"] = new JsonArray(new JsonObject { ["path"] = State, ["size"] = 32 }),
        ["console"] = "programs",
    }, cancellation);

    /// <summary>Writes the workload's: the sealed models are in its root, and by what it judges its coordinator is measured with it.</summary>
    public async Task WriteWorkloadAsync(string folder, string coordinatorPolicy, bool debug, CancellationToken cancellation)
    {
        JsonObject entry = Entry([
            "serve", "--type", StoryManifest.MarbleType, "--tpm", Tpm, "--store", "/" + StoreName, "--address", $"0.0.0.0:{ServingPort}", "--uuid-file", State + "/uuid",
        ]);
        entry["marble"] = StoryManifest.MarbleType;
        entry["activation"] = "program";
        JsonArray files = Files();
        files.Add((JsonNode)new JsonObject { ["directory"] = StoreName, ["to"] = "/" + StoreName });
        // `cloister serve` looks for it beside itself; in the root it is measured as well.
        files.Add((JsonNode)new JsonObject { ["directory"] = PolicyName, ["to"] = "/opt/cloister/" + PolicyName });
        await WriteAsync(folder, new JsonObject
        {
            ["name"] = "inference",
            ["debug"] = debug,
            ["machine"] = new JsonObject { ["memory"] = Memory },
            ["start"] = "inference",
            ["entries"] = new JsonObject { ["inference"] = entry },
            ["files"] = files,
            ["network"] = new JsonObject { ["listen"] = new JsonArray(ServingPort), ["connect"] = new JsonArray("coordinator") },
            ["mounts"] = new JsonArray(new JsonObject { ["path"] = State, ["size"] = 32 }),
            ["console"] = "programs",
            ["coordinatorPolicy"] = PolicyName,
        }, cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, PolicyName), coordinatorPolicy, cancellation);
        CopyStore(Path.Combine(folder, StoreName));
    }

    // Modes go into the image as they are, and the program there is another user: sealed models are nobody's secret.
    private void CopyStore(string destination)
    {
        Workspace.CopyFolder(workspace.Store, destination);
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        File.SetUnixFileMode(destination, Read | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        foreach (string file in Directory.EnumerateFiles(destination))
            File.SetUnixFileMode(file, Read);
    }

    private static JsonObject Entry(string[] arguments) => new()
    {
        ["command"] = new JsonArray([Cloister, .. arguments.Select(argument => (JsonNode)argument), "--json"]),
        ["environment"] = new JsonObject { ["DOTNET_EnableDiagnostics"] = "0" },
        ["tpm"] = true,
    };

    private static JsonArray Files() =>
    [
        new JsonObject { ["packages"] = new JsonArray("libc6", "libgcc-s1", "libstdc++6", "libssl3", "zlib1g") },
        new JsonObject { ["programs"] = "cloister" },
    ];

    private static Task WriteAsync(string folder, JsonObject definition, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        // JSON is YAML.
        return File.WriteAllTextAsync(Path.Combine(folder, "image.yaml"), definition.ToJsonString(Readable), cancellation);
    }
}
