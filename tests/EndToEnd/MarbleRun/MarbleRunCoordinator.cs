using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>
/// The real <c>cloister coordinator run</c> in the place of MarbleRun's coordinator: its environment holds the <c>EDG_*</c>
/// variables and <c>OE_SIMULATION</c> alone, without PATH and HOME.
/// </summary>
internal sealed class MarbleRunCoordinator : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _more = [];
    private Process? _process;
    private Task _output = Task.CompletedTask;

    public string SealFolder => _folder["seal"];

    /// <summary>Where the client API listens.</summary>
    public Uri Client { get; private set; } = null!;

    /// <summary>Where marbles are activated.</summary>
    public IPEndPoint Mesh { get; private set; } = null!;

    public static async Task<MarbleRunCoordinator> StartAsync(string? startupManifest = null)
    {
        var coordinator = new MarbleRunCoordinator();
        if (startupManifest is not null)
        {
            await File.WriteAllTextAsync(coordinator._folder["manifest.json"], startupManifest);
            coordinator._more["EDG_STARTUP_MANIFEST"] = coordinator._folder["manifest.json"];
        }
        await coordinator.StartProcessAsync();
        return coordinator;
    }

    /// <summary>Stops the process without a warning, as MarbleRun's own suite does, and starts another on the same seal folder.</summary>
    public async Task RestartAsync(params string[] deletedBefore)
    {
        await KillAsync();
        foreach (string name in deletedBefore)
            File.Delete(Path.Combine(SealFolder, name));
        await StartProcessAsync();
    }

    public MarbleRunApi Api(MarbleRunUser? user = null) => new(Client, user?.Certificate);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Dispose();
    }

    private async Task StartProcessAsync()
    {
        var start = new ProcessStartInfo(CloisterCommand.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { "coordinator", "run", "--json" })
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["EDG_COORDINATOR_CLIENT_ADDR"] = "127.0.0.1:0";
        start.Environment["EDG_COORDINATOR_MESH_ADDR"] = "127.0.0.1:0";
        start.Environment["EDG_COORDINATOR_DNS_NAMES"] = "localhost,coordinator.example";
        start.Environment["EDG_COORDINATOR_SEAL_DIR"] = SealFolder;
        start.Environment["EDG_DEBUG_LOGGING"] = "1";
        start.Environment["OE_SIMULATION"] = "1";
        foreach ((string name, string value) in _more)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        JsonObject listening = await CloisterCommand.WaitForAsync(_process, "listening");
        // A full pipe would stop the coordinator.
        _output = Task.WhenAll(_process.StandardOutput.ReadToEndAsync(), _process.StandardError.ReadToEndAsync());
        Client = new Uri("https://" + (string)listening["clientAddress"]!);
        Mesh = IPEndPoint.Parse((string)listening["meshAddress"]!);
    }

    private async Task KillAsync()
    {
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync();
        await _output;
        _process.Dispose();
        _process = null;
    }
}
