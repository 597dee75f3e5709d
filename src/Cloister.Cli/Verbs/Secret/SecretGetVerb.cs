using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class SecretGetVerb
{
    private static readonly Argument<string[]> Names = new("names") { Description = "Secrets, as the manifest names them; without --coordinator, the last word is the coordinator's address.", Arity = ArgumentArity.OneOrMore };
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Identity User = new();
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Write them to this file (JSON, readable by the owner alone) instead of printing them." };

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("get", "Verify the coordinator, then read secrets that the user's roles allow; they are printed in base64.",
            "cloister secret get shapes-key --coordinator https://localhost:4433 --policy owner/policy.json --cert owner/model-owner.crt --key owner/model-owner.key",
            "cloister secret get first second localhost:4433 --coordinator-cert coordinator.pem -c admin.crt -k admin.key -o secrets.json") { Names, Output }, withAddress: false))
        .Runs(async (parsed, screen, cancellation) =>
        {
            string[] words = parsed.GetRequiredValue(Names);
            string? address = Coordinator.IsNamed(parsed) ? null : words[^1];
            string[] names = address is null ? words : words[..^1];
            if (names.Length == 0)
                throw new CommandException(ExitCode.Usage, "Name a secret and the coordinator's address: cloister secret get NAME ... ADDRESS");
            using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation, address);
            IReadOnlyDictionary<string, SecretReading> secrets = await ReadAsync(reached, user, names, cancellation);
            if (parsed.GetValue(Output) is { } path)
            {
                await LocalFile.WriteSecretAsync(path, Encoding.UTF8.GetBytes(ToJson(secrets).ToJsonString()), cancellation);
                screen.Result($"wrote {secrets.Count} secret(s) to '{path}'", new JsonObject { ["file"] = path });
                return;
            }
            foreach ((string name, SecretReading secret) in secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
            {
                string value = Convert.ToBase64String(secret.Private ?? secret.Public ?? []);
                string certificate = secret.Cert is { } cert ? $"\n  certificate: {Convert.ToBase64String(cert)}" : "";
                screen.Result($"{name} ({secret.Type}): {value}{certificate}",
                    new JsonObject { ["name"] = name, ["type"] = secret.Type, ["value"] = value, ["certificate"] = secret.Cert is null ? null : Convert.ToBase64String(secret.Cert) });
            }
        });

    private static async Task<IReadOnlyDictionary<string, SecretReading>> ReadAsync(ReachedCoordinator reached, OpenedIdentity user, string[] names, CancellationToken cancellation)
    {
        if (reached.Deployment is { } deployment)
        {
            using var own = new CoordinatorClient(deployment, user.Certificate);
            return await own.GetSecretsAsync(names, cancellation);
        }
        using MarbleRunClient client = reached.Client(user.Certificate);
        return await client.GetSecretsAsync(names, cancellation);
    }

    /// <summary>As MarbleRun's CLI writes them.</summary>
    private static JsonObject ToJson(IReadOnlyDictionary<string, SecretReading> secrets) => new(secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal).Select(secret => KeyValuePair.Create(secret.Key, (JsonNode?)new JsonObject
    {
        ["Type"] = secret.Value.Type,
        ["Size"] = secret.Value.Size,
        ["Shared"] = secret.Value.Shared,
        ["UserDefined"] = secret.Value.UserDefined,
        ["Cert"] = Base64(secret.Value.Cert),
        ["ValidFor"] = secret.Value.ValidFor,
        ["Private"] = Base64(secret.Value.Private),
        ["Public"] = Base64(secret.Value.Public),
    })));

    private static JsonValue? Base64(byte[]? bytes) => bytes is null ? null : JsonValue.Create(Convert.ToBase64String(bytes));
}
