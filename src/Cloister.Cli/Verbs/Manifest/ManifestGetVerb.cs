using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;

namespace Cloister.Cli.Verbs;

internal static class ManifestGetVerb
{
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string?> Out = new("--out") { Description = "Write the manifest's exact bytes to this file." };

    public static Command Create() => new Verb("get", "Verify the coordinator, then read the manifest in force.",
        "cloister manifest get --coordinator https://localhost:4433 --policy owner/policy.json --out manifest.json") { Coordinator, Policy, Out }
        .Runs(async (parsed, screen, cancellation) =>
        {
            VerifiedDeployment deployment = await Peer.VerifyAsync(
                Peer.Address(parsed.GetRequiredValue(Coordinator)), await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation), screen, cancellation);
            if (deployment.ManifestBytes.IsEmpty)
                throw new CommandException(ExitCode.Unavailable, "No manifest is in force yet. Set one with: cloister manifest set");
            if (parsed.GetValue(Out) is { } path)
                await LocalFile.WriteAsync(path, deployment.ManifestBytes, cancellation);
            string text = Encoding.UTF8.GetString(deployment.ManifestBytes.Span);
            screen.Result(
                parsed.GetValue(Out) is { } file ? $"wrote the manifest to '{file}'\nfingerprint {deployment.Fingerprint}" : text,
                new JsonObject { ["fingerprint"] = deployment.Fingerprint, ["manifest"] = text });
        });
}
