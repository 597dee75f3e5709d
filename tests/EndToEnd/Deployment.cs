using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Client;
using Cloister.Protocol.Trust;

namespace Cloister.EndToEnd;

/// <summary>A simulator and a coordinator as real processes, and the documents to talk to them.</summary>
internal sealed class Deployment : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Process _simulator;
    private Process? _coordinator;

    private Deployment()
    {
        _simulator = CloisterCommand.Start("simulator", "--socket", SimulatorSocket, "--host-key-folder", this["simulator-key"], "--json");
    }

    public string SimulatorSocket => this["socket"];

    public string HostKey { get; private set; } = "";
    public string CoordinatorDigest { get; private set; } = "";
    public Uri ClientAddress { get; private set; } = null!;
    public string MeshAddress { get; private set; } = "";

    public string this[string name] => _folder[name];

    public CoordinatorPolicy Policy => CoordinatorPolicy.Read(System.Text.Encoding.UTF8.GetBytes(PolicyText)).Value;

    public string PolicyText => $$"""{ "Coordinator": {{Package(CoordinatorDigest)}}, "OwnerKeys": "Any", "Manifest": "Any" }""";

    public string Package(string digest) => $$"""{ "Simulation": { "Digest": "{{digest}}", "HostKeys": ["{{HostKey}}"] } }""";

    /// <summary>Starts the simulator; the coordinator is started by <see cref="StartCoordinatorAsync"/>.</summary>
    public static async Task<Deployment> CreateAsync()
    {
        var deployment = new Deployment();
        deployment.HostKey = (string)(await CloisterCommand.WaitForAsync(deployment._simulator, "listening"))["hostKey"]!;
        deployment.CoordinatorDigest = await MeasureAsync(CloisterCommand.Folder);
        return deployment;
    }

    /// <summary>The digest of a program's folder, or of a command that it runs.</summary>
    public static async Task<string> MeasureAsync(string folder, params string[] command)
    {
        Ended measured = await CloisterCommand.RunAsync(["workload", "measure", "--json", folder, .. command.Length > 0 ? ["--", .. command] : Array.Empty<string>()]);
        measured.Succeeded();
        return (string)measured.Lines[0]["digest"]!;
    }

    /// <summary>Starts the coordinator on its state, on the ports that it had before, if any.</summary>
    public async Task StartCoordinatorAsync()
    {
        string client = ClientAddress is null ? "127.0.0.1:0" : $"127.0.0.1:{ClientAddress.Port}", mesh = MeshAddress.Length == 0 ? "127.0.0.1:0" : MeshAddress;
        _coordinator = CloisterCommand.Start("coordinator", "run", "--client-address", client, "--mesh-address", mesh,
            "--seal-folder", this["state"], "--host-key-folder", this["host-key"], "--simulator", SimulatorSocket, "--json");
        JsonObject listening = await CloisterCommand.WaitForAsync(_coordinator, "listening");
        ClientAddress = new Uri("https://" + (string)listening["clientAddress"]!);
        MeshAddress = (string)listening["meshAddress"]!;
    }

    /// <summary>kill -9.</summary>
    public async Task KillCoordinatorAsync()
    {
        _coordinator!.Kill();
        await _coordinator.WaitForExitAsync();
        _coordinator.Dispose();
        _coordinator = null;
    }

    public Task<VerifiedDeployment> VerifyAsync() => new DeploymentVerifier().VerifyCoordinatorAsync(ClientAddress, Policy);

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in new[] { _coordinator, _simulator }.OfType<Process>())
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _folder.Dispose();
    }
}
