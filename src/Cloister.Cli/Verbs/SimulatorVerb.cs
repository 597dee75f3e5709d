using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Platform.Simulation;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

internal static class SimulatorVerb
{
    private static readonly Option<string> Socket = new("--socket") { Description = "The Unix socket to listen on.", Required = true };
    private static readonly Option<string> HostKey = new("--host-key-folder") { Description = "Where the signing key is kept; made on first start.", Required = true };

    public static Command Create() => new Verb("simulator", "Run the simulated TEE of this machine: it measures the programs that connect, and signs. It proves nothing against the host.",
        "cloister simulator --socket /run/cloister/simulator --host-key-folder /var/lib/cloister/simulator") { Socket, HostKey }
        .Runs(async (parsed, screen, cancellation) =>
        {
            if (!OperatingSystem.IsLinux())
                throw new CommandException(ExitCode.MissingRequirement, "The simulator measures processes through Linux's /proc; run it on Linux.");
            var options = new SimulatorOptions { SocketPath = Path.GetFullPath(parsed.GetRequiredValue(Socket)), HostKeyFolder = parsed.GetRequiredValue(HostKey) };
            using ILoggerFactory logs = Logs.Create(screen);
            var server = new SimulatorServer(options, logs.CreateLogger<SimulatorServer>());
            Task running = server.RunAsync(cancellation);
            if (await Task.WhenAny(running, server.Listening) == server.Listening)
            {
                using SimulatorHostKey key = SimulatorHostKey.LoadOrCreate(options.HostKeyFolder);
                screen.Result($"SIMULATED TEE listening on {options.SocketPath}\nhost key {key.Base64}",
                    new JsonObject { ["event"] = "listening", ["socket"] = options.SocketPath, ["hostKey"] = key.Base64, ["simulated"] = true });
            }
            try
            {
                await running;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                screen.Line("stopped.");
            }
        });
}
