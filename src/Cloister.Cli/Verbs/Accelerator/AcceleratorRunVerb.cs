using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

internal static class AcceleratorRunVerb
{
    private static readonly AcceleratorOptions Defaults = new();

    private static readonly Option<string> Listen = new("--listen") { Description = "unix:/path (workloads may use shm:/path too) or tcp:host:port; port 0 takes a free one. TCP is neither encrypted nor does it ask who calls: bind it to a network of the workload's own.", Required = true };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads inside one run; 0 is one a core. Runs go one after the other." };
    private static readonly Option<int> MaximumModels = new("--max-models") { Description = "Models held ready at once.", DefaultValueFactory = _ => Defaults.MaximumModels };
    private static readonly Option<int> MaximumModelMebibytes = new("--max-model-mib") { Description = "Mebibytes of all models.", DefaultValueFactory = _ => (int)(Defaults.MaximumModelBytes >> 20) };
    private static readonly Option<int> MaximumRunMebibytes = new("--max-run-mib") { Description = "Mebibytes of the tensors of one run.", DefaultValueFactory = _ => (int)(Defaults.MaximumRunBytes >> 20) };
    private static readonly Option<int> MaximumConnections = new("--max-connections") { Description = "Workloads at once.", DefaultValueFactory = _ => Defaults.MaximumConnections };

    public static Command Create() => new Verb("run", "Compute the BackNets that workloads send here. It needs no secret and is trusted with none: whoever runs it sees the tensors that cross the cut.",
        "cloister accelerator run --listen unix:/run/cloister/a.sock", "cloister accelerator run --listen tcp:10.0.0.7:9100 --threads 16")
    {
        Listen, Threads, MaximumModels, MaximumModelMebibytes, MaximumRunMebibytes, MaximumConnections,
    }.Runs(RunAsync);

    private static async Task RunAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        AcceleratorAddress address = AcceleratorAddress.Parse(parsed.GetRequiredValue(Listen));
        var options = new AcceleratorOptions
        {
            Threads = AtLeast(parsed, Threads, 0),
            MaximumModels = AtLeast(parsed, MaximumModels, 1),
            MaximumModelBytes = (long)AtLeast(parsed, MaximumModelMebibytes, 1) << 20,
            MaximumRunBytes = (long)AtLeast(parsed, MaximumRunMebibytes, 1) << 20,
            MaximumConnections = AtLeast(parsed, MaximumConnections, 1),
        };
        using ILoggerFactory logs = Logs.Create(screen);
        try
        {
            await AcceleratorHost.RunAsync(address, options, logs.CreateLogger("Cloister.Accelerator"), cancellation, reached =>
                screen.Result($"listening on {reached}", new JsonObject { ["event"] = "listening", ["address"] = reached.ToString() }));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            screen.Line("stopped.");
        }
    }

    private static int AtLeast(ParseResult parsed, Option<int> option, int least) => parsed.GetValue(option) is var value && value >= least
        ? value
        : throw new CommandException(ExitCode.Usage, $"{option.Name} is at least {least}.");
}
