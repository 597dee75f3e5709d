using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class ManifestVerifyVerb
{
    private static readonly Argument<string> Expected = new("expected") { Description = "A manifest file, or its fingerprint (64 hex digits)." };
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();

    public static Command Create() => new Verb("verify", "Verify the coordinator, and that this very manifest is in force.",
        "cloister manifest verify manifest.json --coordinator https://localhost:4433 --policy owner/policy.json") { Expected, Coordinator, Policy }
        .Runs(async (parsed, screen, cancellation) =>
        {
            string expected = parsed.GetRequiredValue(Expected);
            string fingerprint = ManifestFingerprint.IsValid(expected) ? expected : ManifestFingerprint.Of(await LocalFile.ReadAsync(expected, cancellation, ManifestReader.MaxBytes));
            VerifiedDeployment deployment = await Peer.VerifyAsync(
                Peer.Address(parsed.GetRequiredValue(Coordinator)), await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation), screen, cancellation);
            if (deployment.Fingerprint != fingerprint)
                throw new CommandException(ExitCode.Refused, $"Another manifest is in force: {(deployment.Fingerprint.Length == 0 ? "none" : deployment.Fingerprint)}, expected {fingerprint}. Read it with: cloister manifest get");
            screen.Result($"this manifest is in force\nfingerprint {fingerprint}", new JsonObject { ["fingerprint"] = fingerprint });
        });
}
