using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Client;

namespace Cloister.Cli.CommandLine;

/// <summary>Options by which a verb finds an encrypted model on a deployment, and verifies the deployment first.</summary>
internal sealed class EncryptedServer
{
    private readonly Option<string?> _coordinator = new("--coordinator") { Description = "The coordinator's client address, for example https://localhost:4433." };
    private readonly Option<string?> _policy = new("--policy") { Description = "What to demand of the coordinator (docs/formats/coordinator-policy.md), from elsewhere than the deployment." };
    private readonly Option<string?> _workload = new("--workload") { Description = "The inference workload's address." };
    private readonly Option<string?> _type = new("--type") { Description = "The type that the workload must have." };
    private readonly Option<string?> _model = new("--model") { Description = "The encrypted model's name on the server." };
    private readonly Option<string?> _digest = new("--digest") { Description = "The only compiled model that is accepted, by its digest." };
    private readonly Option<string?> _token = new("--token") { Description = "A file with the caller's bearer token." };
    private readonly Option<string?> _certificate = Peer.Certificate();
    private readonly Option<string?> _key = Peer.Key();

    public void AddTo(Command verb)
    {
        foreach (Option option in new Option[] { _coordinator, _policy, _workload, _type, _model, _digest, _token, _certificate, _key }) verb.Add(option);
    }

    public bool IsGiven(ParseResult parsed) => parsed.GetValue(_workload) is not null;

    /// <summary>Verifies the deployment; only then the model's description is fetched.</summary>
    public async Task<OpenedServer> OpenAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string coordinator = Required(parsed, _coordinator), policy = Required(parsed, _policy), workload = Required(parsed, _workload), type = Required(parsed, _type), model = Required(parsed, _model);
        string? token = parsed.GetValue(_token) is { } file ? (await LocalFile.ReadTextAsync(file, cancellation)).Trim() : null;
        X509Certificate2? caller = parsed.GetValue(_certificate) is { } certificate ? await Peer.ReadIdentityAsync(certificate, parsed.GetValue(_key), cancellation) : null;
        VerifiedDeployment deployment = await Peer.VerifyAsync(Peer.Address(coordinator), await Peer.ReadPolicyAsync(policy, cancellation), screen, cancellation);
        AttestedWorkload? verified = null;
        var handler = new AttestedHttpHandler(deployment, type, caller) { Verified = peer => verified = peer };
        var client = new EncryptedModelClient(handler, Peer.Address(workload), token);
        try
        {
            return new OpenedServer(client, model, await client.DescribeAsync(model, parsed.GetValue(_digest), cancellation), deployment, verified!, caller);
        }
        catch
        {
            client.Dispose();
            caller?.Dispose();
            throw;
        }
    }

    private static string Required(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) ?? throw new CommandException(ExitCode.Usage, $"{option.Name} is missing: a deployment is verified with --coordinator, --policy, --workload, --type and --model.");
}

/// <summary>A verified server of an encrypted model.</summary>
internal sealed record OpenedServer(
    EncryptedModelClient Client, string Model, Homomorphic.Models.ClientSpecification Specification, VerifiedDeployment Deployment, AttestedWorkload Workload, X509Certificate2? Caller) : IDisposable
{
    public string Text => $"verified the coordinator, manifest {Deployment.Fingerprint}\nverified the workload {Workload.Workload.Type} {Workload.Workload.Uuid}, measurement {Workload.Workload.Measurement}\n{ModeText.Of(Deployment.Manifest!, Workload.Workload.Type, Model)}";

    public JsonObject ToJson() => new()
    {
        ["manifestFingerprint"] = Deployment.Fingerprint,
        ["workload"] = Workload.Workload.Uuid,
        ["simulated"] = Deployment.Simulated || Workload.Simulated,
        ["model"] = Model,
        ["mode"] = Workload.Workload.Modes.GetValueOrDefault(Model),
        ["digest"] = Specification.Digest,
    };

    public void Dispose()
    {
        Client.Dispose();
        Caller?.Dispose();
    }
}
