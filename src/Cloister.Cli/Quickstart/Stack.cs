using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart;

/// <summary>The running processes of the story and what its parties know.</summary>
internal sealed class Stack(Workspace workspace) : IAsyncDisposable
{
    private readonly List<CloisterProcess> _running = [];

    public Workspace Workspace { get; } = workspace;

    public string SimulatorSocket => Path.Combine(Workspace.Simulator, "socket");
    public string HostKey { get; set; } = "";
    public string CoordinatorDigest { get; set; } = "";
    public string WorkloadDigest { get; set; } = "";
    public string OperatorKey { get; set; } = "";
    public string ClientAddress { get; set; } = "";
    public string MeshAddress { get; set; } = "";
    public string ManifestFile => Path.Combine(Workspace.Operator, "manifest.json");
    public string Fingerprint { get; set; } = "";
    public List<StoryModel> Models { get; } = [];
    public string WorkloadAddress { get; set; } = "";

    /// <summary>What the coordinator must be, as a package of a manifest says it.</summary>
    public JsonObject CoordinatorPackage { get; set; } = [];

    /// <summary>What the workload must be.</summary>
    public JsonObject WorkloadPackage { get; set; } = [];

    public string[] CoordinatorArguments(string state, string clientAddress = "127.0.0.1:0", string meshAddress = "127.0.0.1:0") =>
    [
        "coordinator", "run", "--client-address", clientAddress, "--mesh-address", meshAddress, "--seal-folder", Path.Combine(state, "state"),
        "--host-key-folder", Path.Combine(state, "host-key"), "--simulator", SimulatorSocket, "--owner-key", OperatorKey,
    ];

    public string[] ServeArguments(string store, string uuid, string type = StoryManifest.MarbleType) =>
    [
        "serve", "--type", type, "--coordinator", MeshAddress, "--store", store, "--address", "127.0.0.1:0",
        "--uuid-file", Path.Combine(Workspace.Operator, uuid), "--simulator", SimulatorSocket,
    ];

    public string[] ReleaseArguments(string key, string coordinator) =>
    [
        "secret", "set", StoryManifest.Secret, "--model-key", key, "--manifest", Fingerprint, "--coordinator", coordinator,
        "--policy", Path.Combine(Workspace.Owner, "policy.json"),
        "--cert", Path.Combine(Workspace.Owner, StoryManifest.User + ".crt"), "--key", Path.Combine(Workspace.Owner, StoryManifest.User + ".key"),
    ];

    public string[] PredictArguments(string coordinator, string workload, IEnumerable<string> images) =>
    [
        "predict", "--coordinator", coordinator, "--policy", Path.Combine(Workspace.Client, "policy.json"), "--workload", workload,
        "--type", StoryManifest.MarbleType, "--model", StoryManifest.Model, "--token", Path.Combine(Workspace.Client, "token"),
        .. images.SelectMany(image => new[] { "--image", image }),
    ];

    /// <summary>How a client names the deployment that it verifies, and the model that it asks.</summary>
    public string[] ClientArguments(string model) =>
    [
        "--coordinator", ClientAddress, "--policy", Path.Combine(Workspace.Client, "policy.json"), "--workload", WorkloadAddress,
        "--type", StoryManifest.MarbleType, "--model", model, "--token", Path.Combine(Workspace.Client, "token"),
    ];

    /// <summary>Starts a command that goes on until the story ends, or until it is disposed of.</summary>
    public CloisterProcess Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, Func<JsonObject, JsonObject>? read = null)
    {
        CloisterProcess process = CloisterProcess.Start(Workspace.ExecutableIn(program), arguments, environment, read);
        _running.Add(process);
        return process;
    }

    /// <summary>Runs a command to its end; its last line is its result.</summary>
    /// <param name="step">Which step it belongs to.</param>
    /// <param name="arguments">The command.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="said">How many lines of what it says are repeated.</param>
    public static async Task<JsonObject> RunAsync(Step step, IReadOnlyList<string> arguments, CancellationToken cancellation, int said = int.MaxValue)
    {
        step.Command(arguments);
        await using CloisterProcess process = CloisterProcess.Start(Workspace.ExecutableIn(Workspace.Program), arguments);
        (ExitCode code, IReadOnlyList<JsonObject> lines) = await process.ToEndAsync(cancellation);
        if (code != ExitCode.Success)
            throw new CommandException(code, process.Error ?? $"'cloister {arguments[0]}' ended with exit code {(int)code}.");
        foreach (JsonObject line in lines)
            step.Say(string.Join('\n', ((string?)line["message"] ?? "").Split('\n').Take(said)));
        return lines[^1];
    }

    public async ValueTask DisposeAsync()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
            await _running[i].DisposeAsync();
    }
}
