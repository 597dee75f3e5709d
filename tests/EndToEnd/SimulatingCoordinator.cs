using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd;

/// <summary>The coordinator as a process in MarbleRun's simulation, which is spoken to with --insecure, and the files of its users.</summary>
internal sealed class SimulatingCoordinator : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    public string Address { get; private set; } = "";

    public string this[string name] => _folder[name];

    public static async Task<SimulatingCoordinator> StartAsync()
    {
        var coordinator = new SimulatingCoordinator();
        await coordinator.RestartAsync();
        return coordinator;
    }

    /// <summary>Ends the process, if it runs, and starts it on its state, at the same address.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        var start = new ProcessStartInfo(CloisterCommand.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { "coordinator", "run", "--client-address", Address.Length == 0 ? "127.0.0.1:0" : Address, "--mesh-address", "127.0.0.1:0", "--seal-folder", this["state"], "--host-key-folder", this["host"], "--json" })
            start.ArgumentList.Add(argument);
        start.Environment["OE_SIMULATION"] = "1";
        _process = Process.Start(start)!;
        Address = (string)(await CloisterCommand.WaitForAsync(_process, "listening"))["clientAddress"]!;
    }

    /// <summary>Makes a user's certificate and key, and returns the certificate as a manifest writes it.</summary>
    public async Task<string> UserAsync(string name)
    {
        Ended made = await CloisterCommand.RunAsync("user", "keygen", "--name", name, "--out", _folder.Path, "--json");
        made.Succeeded();
        return (string)made.Lines[0]["certificate"]!;
    }

    /// <summary>What a verb needs to act as a user here.</summary>
    public string[] As(string user) => ["--insecure", "--cert", this[user + ".crt"], "--key", this[user + ".key"]];

    public string Write(string name, JsonNode document)
    {
        File.WriteAllText(this[name], document.ToJsonString());
        return this[name];
    }

    public async Task StopAsync()
    {
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}
