using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Workload;

namespace Cloister.Cli.Verbs;

/// <summary>What `serve` and `workload run` share: how a workload finds its coordinator and tells of its activation.</summary>
internal static class Joining
{
    public static Option<string?> Type() => new("--type") { Description = "The marble type, as the manifest names it (or EDG_MARBLE_TYPE)." };

    public static Option<string?> Coordinator() => new("--coordinator") { Description = "The coordinator's mesh address (or EDG_MARBLE_COORDINATOR_ADDR; localhost:2001)." };

    public static Option<string?> DnsNames() => new("--dns-names") { Description = "Names for the certificate, comma separated (or EDG_MARBLE_DNS_NAMES; localhost)." };

    public static Option<string?> UuidFile() => new("--uuid-file") { Description = "Where this instance keeps its UUID (or EDG_MARBLE_UUID_FILE; ./uuid)." };

    public static Option<string?> Simulator() => new("--simulator") { Description = "The socket of this machine's simulated TEE (or CLOISTER_SIMULATOR)." };

    public static Option<string?> Tpm() => new("--tpm") { Description = "This machine's TPM, such as /dev/tpmrm0 (or CLOISTER_TPM); it comes before a simulator." };

    public static WorkloadOptions Options(string? type, string? coordinator, string? dnsNames, string? uuidFile, string? simulator, string? tpm) =>
        WorkloadOptions.FromEnvironment(variable => Given(variable, type, coordinator, dnsNames, uuidFile, simulator, tpm) ?? Environment.GetEnvironmentVariable(variable));

    /// <summary>Prints each state once, though it may last for many tries.</summary>
    public static IProgress<WorkloadState> Tell(Screen screen) => new Teller(screen);

    private static string? Given(string variable, string? type, string? coordinator, string? dnsNames, string? uuidFile, string? simulator, string? tpm) => variable switch
    {
        "EDG_MARBLE_TYPE" => type,
        "EDG_MARBLE_COORDINATOR_ADDR" => coordinator,
        "EDG_MARBLE_DNS_NAMES" => dnsNames,
        "EDG_MARBLE_UUID_FILE" => uuidFile,
        Cloister.Platform.PlatformOptions.SimulatorVariable => simulator,
        Cloister.Platform.PlatformOptions.TpmVariable => tpm,
        _ => null,
    };

    private sealed class Teller(Screen screen) : IProgress<WorkloadState>
    {
        private string _last = "";

        public void Report(WorkloadState state)
        {
            if (state.Message == _last)
                return;
            _last = state.Message;
            screen.Result(state.Message, new JsonObject
            {
                ["event"] = state.Phase.ToString(),
                ["awaitedSecrets"] = new JsonArray([.. state.AwaitedSecrets.Select(name => (JsonNode)name)]),
            });
        }
    }
}
