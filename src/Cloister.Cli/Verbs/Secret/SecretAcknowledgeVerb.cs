using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.Verbs;

internal static class SecretAcknowledgeVerb
{
    private static readonly Argument<string[]> Names = new("names") { Description = "Withheld secrets; without --coordinator, the last word is the coordinator's address.", Arity = ArgumentArity.OneOrMore };
    private static readonly Reach Coordinator = new(Trust.Fresh);
    private static readonly Identity User = new();
    private static readonly Option<string> Manifest = new("--manifest") { Description = "The new manifest that was read and approved: a file, or its fingerprint.", Required = true };

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("acknowledge", "Verify the coordinator and its new manifest; only then let workloads have the secrets that the update withholds.",
            "cloister secret acknowledge shapes-key localhost:4433 --manifest manifest.json --policy owner/policy.json --cert owner/model-owner.crt --key owner/model-owner.key") { Names, Manifest }, withAddress: false))
        .Runs(async (parsed, screen, cancellation) =>
        {
            string[] words = parsed.GetRequiredValue(Names);
            string? address = Coordinator.IsNamed(parsed) ? null : words[^1];
            string[] names = address is null ? words : words[..^1];
            if (names.Length == 0 || !Coordinator.HasPolicy(parsed))
                throw new CommandException(ExitCode.Usage, "Name a secret, the coordinator's address, and --policy: cloister secret acknowledge NAME ... ADDRESS --policy FILE");
            string fingerprint = await ManifestFile.FingerprintAsync(parsed.GetRequiredValue(Manifest), cancellation);
            using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation, address, policy => policy with { Manifest = new ManifestRequirement.Exactly(fingerprint) });
            using var client = new CoordinatorClient(reached.Deployment!, user.Certificate);
            await client.AcknowledgeSecretsAsync(names, cancellation);
            screen.Result($"acknowledged under manifest {fingerprint}: {string.Join(", ", names)}",
                new JsonObject { ["manifestFingerprint"] = fingerprint, ["secrets"] = new JsonArray([.. names.Select(name => (JsonNode)JsonValue.Create(name))]) });
        });
}
