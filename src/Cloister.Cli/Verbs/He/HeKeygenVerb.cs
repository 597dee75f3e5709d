using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;
using Cloister.Sealing;
using ClientKeyFile = Cloister.Homomorphic.Wire.KeyFile;

namespace Cloister.Cli.Verbs;

internal static class HeKeygenVerb
{
    private static readonly Option<string?> Specification = new("--spec") { Description = "The model's client specification, JSON; or name a deployment, whose model tells it." };
    private static readonly EncryptedServer Server = new();
    private static readonly Option<string> Out = new("--out") { Description = "The key file.", Required = true };
    private static readonly Option<string?> Keep = new("--save-spec") { Description = "Where to keep the specification that a deployment told, for encrypt and decrypt." };
    private static readonly Option<int> Iterations = new("--iterations") { Description = "Iterations of PBKDF2 between passphrase and key.", DefaultValueFactory = _ => ClientKeyFile.DefaultIterations };
    private static readonly Passphrase Words = new();

    public static Command Create()
    {
        var verb = new Verb("keygen", "Make a client's key for an encrypted model. It is written under a passphrase and never leaves this machine.",
            "cloister he keygen --spec client.json --out client.key",
            "cloister he keygen --coordinator https://localhost:4433 --policy client/policy.json --workload https://localhost:8501 --type inference --model spam --token client/token --save-spec client.json --out client.key")
        { Specification, Out, Keep, Iterations };
        Server.AddTo(verb);
        Words.AddTo(verb);
        return verb.Runs(MakeAsync);
    }

    private static async Task MakeAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        int iterations = parsed.GetValue(Iterations);
        if (iterations is < ClientKeyFile.MinimumIterations or > ClientKeyFile.MaximumIterations)
            throw new CommandException(ExitCode.Usage, $"--iterations is from {ClientKeyFile.MinimumIterations} to {ClientKeyFile.MaximumIterations}.");
        ClientSpecification specification = await SpecificationAsync(parsed, screen, cancellation);
        using SecretBytes words = await Words.ReadAsync(parsed, isNew: true, cancellation);
        using ClientKey key = ClientKey.Generate(ModelClients.Create(specification).Parameters);
        string path = parsed.GetRequiredValue(Out);
        await LocalFile.WriteSecretAsync(path, ClientKeyFile.Write(key, words.Span, iterations), cancellation);
        if (parsed.GetValue(Keep) is { } kept) await LocalFile.WriteAsync(kept, ClientSpecificationJson.Write(specification), cancellation);
        screen.Result($"wrote '{path}' for models of these parameters, such as '{specification.Model}' (keep it, and its passphrase: without both nobody reads your answers)\nkey id {key.Id}",
            new JsonObject { ["file"] = path, ["keyId"] = key.Id.ToString(), ["model"] = specification.Model, ["digest"] = specification.Digest });
    }

    private static async Task<ClientSpecification> SpecificationAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (parsed.GetValue(Specification) is { } path) return await EncryptedModelFiles.ReadSpecificationAsync(path, cancellation);
        if (!Server.IsGiven(parsed)) throw new CommandException(ExitCode.Usage, "Say which model the key is for: --spec FILE, or a deployment with --coordinator, --policy, --workload, --type and --model.");
        using OpenedServer server = await Server.OpenAsync(parsed, screen, cancellation);
        screen.Line(server.Text);
        return server.Specification;
    }
}
