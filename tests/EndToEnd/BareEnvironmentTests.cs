using System.Diagnostics;
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
        start.Environment["OE_SIMULATION"] = "1";
        using Process process = Process.Start(start)!;
        try
        {
            string address = (string)(await CloisterCommand.WaitForAsync(process, "listening"))["clientAddress"]!;
            StatusV3 status = await UnverifiedCoordinator.GetStatusAsync(new Uri("https://" + address));
            Assert.Equal((int)CoordinatorState.AcceptingManifest, status.Code);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }
}
