using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Platform.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>Coordinator and workload as processes of their own, measured by a real simulator, with an environment that is all but empty.</summary>
public sealed class ProcessTests : IDisposable
{
    private static readonly string Executable = Path.ChangeExtension(typeof(ProcessTests).Assembly.Location, null);

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-processes-").FullName;

    private string Socket => Path.Combine(_root, "simulator.sock");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_workload_process_is_activated_by_its_measurement_without_PATH_and_HOME()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var stop = new CancellationTokenSource();
        using SimulatorHostKey hostKey = SimulatorHostKey.LoadOrCreate(Path.Combine(_root, "simulator"));
        var simulator = new SimulatorServer(new SimulatorOptions { SocketPath = Socket, HostKeyFolder = Path.Combine(_root, "simulator") }, NullLogger.Instance);
        Task simulating = simulator.RunAsync(stop.Token);
        await simulator.Listening;

        using Process coordinator = Start("coordinator");
        string[] ports = (await coordinator.StandardOutput.ReadLineAsync() ?? await coordinator.StandardError.ReadToEndAsync()).Split(' ');
        Assert.True(ports.Length == 2, string.Join(' ', ports));
        string own = Convert.ToHexStringLower(SimulationMeasurement.OfFolder(AppContext.BaseDirectory));
        await SetManifestAsync(ports[0], hostKey.Base64, own);
        Assert.Equal("activated free", await WorkloadAsync(ports[1], "free"));
        string refused = await WorkloadAsync(ports[1], "other");
        Assert.StartsWith("refused PermissionDenied The evidence was refused", refused, StringComparison.Ordinal);

        coordinator.StandardInput.Close();
        await coordinator.WaitForExitAsync();
        Assert.True(coordinator.ExitCode == 0, await coordinator.StandardError.ReadToEndAsync());
        await stop.CancelAsync();
        await simulating;
    }

    private static async Task SetManifestAsync(string port, string hostKey, string measurement)
    {
        JsonObject manifest = JsonNode.Parse($$"""
            {
              "Packages": {
                "these": { "Simulation": { "Digest": "{{measurement}}", "HostKeys": ["{{hostKey}}"] } },
                "others": { "Simulation": { "Digest": "{{TestManifest.Measurement}}", "HostKeys": ["{{hostKey}}"] } }
              },
              "Marbles": { "free": { "Package": "these" }, "other": { "Package": "others" } }
            }
            """)!.AsObject();
        using HttpClient client = TestCoordinator.Connect(int.Parse(port, null), null, null);
        using var body = new StringContent(TestManifest.Request(manifest.ToJsonString()), System.Text.Encoding.UTF8, "application/json");
        (int code, JsonElement answer) = await TestCoordinator.ReadAsync(await client.PostAsync("/api/v3/manifest", body));
        Assert.True(code == 200, answer.ToString());
    }

    private async Task<string> WorkloadAsync(string port, string type)
    {
        using Process workload = Start("workload", port, type);
        Task<string> errors = workload.StandardError.ReadToEndAsync();
        string output = await workload.StandardOutput.ReadToEndAsync();
        await workload.WaitForExitAsync();
        return output.Length > 0 ? output.Trim() : await errors;
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _root };
        start.Environment.Clear();
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
        start.Environment["CLOISTER_SIMULATOR"] = Socket;
        start.Environment["EDG_COORDINATOR_CLIENT_ADDR"] = "localhost:0";
        start.Environment["EDG_COORDINATOR_MESH_ADDR"] = "localhost:0";
        return Process.Start(start)!;
    }
}
