using System.Diagnostics;
using System.Globalization;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>A coordinator as a process of its own that can be killed, with nothing in its environment but what it is given.</summary>
internal sealed class CoordinatorProcess
{
    public static readonly string Executable = Path.ChangeExtension(typeof(CoordinatorProcess).Assembly.Location, null);

    private readonly Process _process;

    private CoordinatorProcess(Process process, int clientPort, int meshPort) => (_process, ClientPort, MeshPort) = (process, clientPort, meshPort);

    public int ClientPort { get; }

    public int MeshPort { get; }

    /// <summary>Starts one on the state in <paramref name="root"/>/seal.</summary>
    public static async Task<CoordinatorProcess> StartAsync(string root, bool simulation)
    {
        var start = new ProcessStartInfo(Executable, ["coordinator"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        Configure(start, Path.Combine(root, "seal"), Path.Combine(root, "host"), simulation);
        Process process = Process.Start(start)!;
        string line = await process.StandardOutput.ReadLineAsync() ?? await process.StandardError.ReadToEndAsync();
        string[] ports = line.Split(' ');
        Assert.True(ports.Length == 2 && ports.All(port => int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _)), line);
        return new CoordinatorProcess(process, int.Parse(ports[0], CultureInfo.InvariantCulture), int.Parse(ports[1], CultureInfo.InvariantCulture));
    }

    public static void Configure(ProcessStartInfo start, string sealFolder, string hostKeyFolder, bool simulation)
    {
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        if (simulation)
            start.Environment["OE_SIMULATION"] = "1";
        start.Environment["EDG_COORDINATOR_CLIENT_ADDR"] = "localhost:0";
        start.Environment["EDG_COORDINATOR_MESH_ADDR"] = "localhost:0";
        start.Environment["EDG_COORDINATOR_SEAL_DIR"] = sealFolder;
        start.Environment["CLOISTER_HOST_KEY_DIR"] = hostKeyFolder;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
