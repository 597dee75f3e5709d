using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class SecretGetVerb
{
    private static readonly Argument<string[]> Names = new("names") { Description = "Secrets, as the manifest names them.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string?> Certificate = Peer.Certificate();
    private static readonly Option<string?> Key = Peer.Key();

    public static Command Create() => new Verb("get", "Verify the coordinator, then read secrets that the user's roles allow; they are printed in base64.",
        "cloister secret get shapes-key --coordinator https://localhost:4433 --policy owner/policy.json --cert owner/model-owner.crt --key owner/model-owner.key")
        { Names, Coordinator, Policy, Certificate, Key }
        .Runs(async (parsed, screen, cancellation) =>
        {
            using X509Certificate2 user = await Peer.ReadIdentityAsync(parsed.GetValue(Certificate), parsed.GetValue(Key), cancellation);
            VerifiedDeployment deployment = await Peer.VerifyAsync(
                Peer.Address(parsed.GetRequiredValue(Coordinator)), await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation), screen, cancellation);
            using var client = new CoordinatorClient(deployment, user);
            IReadOnlyDictionary<string, SecretReading> secrets = await client.GetSecretsAsync(parsed.GetRequiredValue(Names), cancellation);
            foreach ((string name, SecretReading secret) in secrets.OrderBy(secret => secret.Key, StringComparer.Ordinal))
            {
                string value = Convert.ToBase64String(secret.Private ?? secret.Public ?? []);
                screen.Result($"{name} ({secret.Type}): {value}", new JsonObject { ["name"] = name, ["type"] = secret.Type, ["value"] = value });
            }
        });
}
