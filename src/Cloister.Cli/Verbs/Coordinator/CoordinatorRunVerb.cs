using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Coordinator;
using Cloister.Coordinator.Stores;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

internal static class CoordinatorRunVerb
{
    private static readonly Option<string?> ClientAddress = new("--client-address") { Description = "Where the client API listens (or EDG_COORDINATOR_CLIENT_ADDR; :4433). Port 0 takes a free one." };
    private static readonly Option<string?> MeshAddress = new("--mesh-address") { Description = "Where workloads are activated (or EDG_COORDINATOR_MESH_ADDR; :2001)." };
    private static readonly Option<string?> DnsNames = new("--dns-names") { Description = "Names in the certificates, comma separated (or EDG_COORDINATOR_DNS_NAMES; localhost)." };
    private static readonly Option<string?> SealFolder = new("--seal-folder") { Description = "The folder of the sealed state (or EDG_COORDINATOR_SEAL_DIR)." };
    private static readonly Option<string?> HostKeyFolder = new("--host-key-folder") { Description = "The folder of the key that wraps the state's key; not inside the seal folder." };
    private static readonly Option<string?> Simulator = new("--simulator") { Description = "The socket of this machine's simulated TEE (or CLOISTER_SIMULATOR)." };
    private static readonly Option<string?> Tpm = new("--tpm") { Description = "This machine's TPM, such as /dev/tpmrm0 (or CLOISTER_TPM); it also seals the state's key to the measured boot, unless a host key folder is named." };
    private static readonly Option<string[]> OwnerKeys = new("--owner-key") { Description = "Accept only manifests signed by this key (base64 SubjectPublicKeyInfo); may be given several times." };

    public static Command Create() => new Verb("run", "Run a coordinator until stopped.",
        "cloister coordinator run --simulator /run/cloister/simulator",
        "cloister coordinator run --client-address localhost:4433 --mesh-address localhost:2001 --seal-folder state --host-key-folder host-key --simulator /run/cloister/simulator")
        { ClientAddress, MeshAddress, DnsNames, SealFolder, HostKeyFolder, Simulator, Tpm, OwnerKeys }
        .Runs(async (parsed, screen, cancellation) =>
        {
            CoordinatorOptions options = Options(parsed);
            using ILoggerFactory logs = Logs.Create(screen);
            await using CoordinatorHost host = await StartAsync(options, logs, cancellation);
            screen.Result(
                $"""
                client API on https://{host.ClientAddress}, workloads on {host.MeshAddress}
                {Attester(options)}
                """,
                new JsonObject { ["event"] = "listening", ["clientAddress"] = host.ClientAddress.ToString(), ["meshAddress"] = host.MeshAddress.ToString(), ["metricsAddress"] = host.MetricsAddress?.ToString(), ["simulated"] = options.Tpm is null && options.SimulatorSocket is not null });
            await Stop.WaitAsync(cancellation);
            screen.Line("stopped.");
        });

    private static string Attester(CoordinatorOptions options) =>
        options.Tpm is { } tpm ? $"evidence of the TPM {tpm}; the state's key is {(options.SealToTpm ? "sealed to it" : "under a host key")}"
        : options.SimulatorSocket is null ? "no attester on this machine: clients cannot verify this coordinator"
        : "SIMULATED evidence: it proves nothing against whoever controls this machine";

    private static CoordinatorOptions Options(ParseResult parsed)
    {
        string? Given(string variable) => variable switch
        {
            "EDG_COORDINATOR_CLIENT_ADDR" => parsed.GetValue(ClientAddress),
            "EDG_COORDINATOR_MESH_ADDR" => parsed.GetValue(MeshAddress),
            "EDG_COORDINATOR_DNS_NAMES" => parsed.GetValue(DnsNames),
            "EDG_COORDINATOR_SEAL_DIR" => parsed.GetValue(SealFolder),
            "CLOISTER_HOST_KEY_DIR" => parsed.GetValue(HostKeyFolder),
            "CLOISTER_OWNER_KEYS" => parsed.GetValue(OwnerKeys) is { Length: > 0 } keys ? string.Join(',', keys) : null,
            Cloister.Platform.PlatformOptions.SimulatorVariable => parsed.GetValue(Simulator),
            Cloister.Platform.PlatformOptions.TpmVariable => parsed.GetValue(Tpm),
            _ => null,
        };
        try
        {
            return CoordinatorOptions.FromEnvironment(variable => Given(variable) ?? Environment.GetEnvironmentVariable(variable));
        }
        catch (ArgumentException exception)
        {
            throw new CommandException(ExitCode.Usage, exception.Message, exception);
        }
    }

    private static async Task<CoordinatorHost> StartAsync(CoordinatorOptions options, ILoggerFactory logs, CancellationToken cancellation)
    {
        try
        {
            return await CoordinatorHost.CreateAsync(options, logs, cancellation: cancellation);
        }
        catch (Exception exception) when (exception is StoreException or ArgumentException)
        {
            throw new CommandException(ExitCode.BadInput, exception.Message, exception);
        }
    }
}
