using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.EndToEnd;

/// <summary>The coordinator starts from an environment that holds MarbleRun's variables alone.</summary>
public sealed class BareEnvironmentTests
{
    [Fact]
    public async Task No_PATH_and_no_HOME_are_needed()
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(CloisterCommand.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { "coordinator", "run", "--json" })
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["EDG_COORDINATOR_CLIENT_ADDR"] = "127.0.0.1:0";
        start.Environment["EDG_COORDINATOR_MESH_ADDR"] = "127.0.0.1:0";
        start.Environment["EDG_COORDINATOR_SEAL_DIR"] = folder["state"];
        start.Environment["CLOISTER_HOST_KEY_DIR"] = folder["host-key"];
        start.Environment["EDG_COORDINATOR_DNS_NAMES"] = "localhost,coordinator";
        start.Environment["EDG_COORDINATOR_PROMETHEUS_ADDR"] = "127.0.0.1:0";
        start.Environment["EDG_COORDINATOR_DEV_MODE"] = "1";
        start.Environment["EDG_HTTP_ERROR_LOG_LEVEL"] = "info";
        start.Environment["EDG_STARTUP_MANIFEST"] = folder["manifest.json"];
        start.Environment["OE_SIMULATION"] = "1";
        await File.WriteAllTextAsync(folder["manifest.json"], """{"Packages":{"p":{"UniqueID":"77"}},"Marbles":{"m":{"Package":"p"}}}""");
        using Process process = Process.Start(start)!;
        try
        {
            JsonObject listening = await CloisterCommand.WaitForAsync(process, "listening");
            StatusV3 status = await UnverifiedCoordinator.GetStatusAsync(new Uri("https://" + (string)listening["clientAddress"]!));
            Assert.Equal((int)CoordinatorState.AcceptingMarbles, status.Code);
            using var http = new HttpClient();
            string metrics = await http.GetStringAsync(new Uri("http://" + (string)listening["metricsAddress"]! + "/metrics"));
            Assert.Contains("\ncoordinator_state 3\n", metrics, StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }
}
