using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class ManifestVerifyVerb
{
    private static readonly Argument<string> Expected = new("expected") { Description = "A manifest file (JSON or YAML), or its fingerprint (64 hex digits)." };
    private static readonly Reach Coordinator = new(Trust.Fresh);

    public static Command Create() => Coordinator.AddTo(new Verb("verify", "Verify the coordinator, and that this very manifest is in force.",
            "cloister manifest verify manifest.json --coordinator https://localhost:4433 --policy owner/policy.json",
            "cloister manifest verify manifest.json localhost:4433 --era-config coordinator-era.json") { Expected })
        .Runs(async (parsed, screen, cancellation) =>
        {
            string fingerprint = await ManifestFile.FingerprintAsync(parsed.GetRequiredValue(Expected), cancellation);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            string inForce = reached.Deployment is { } deployment ? deployment.Fingerprint : await AskAsync(reached, cancellation);
            if (!inForce.Equals(fingerprint, StringComparison.Ordinal))
                throw new CommandException(ExitCode.Refused, $"Another manifest is in force: {(inForce.Length == 0 ? "none" : inForce)}, expected {fingerprint}. Read it with: cloister manifest get");
            await Coordinator.KeepAsync(reached, parsed, screen, cancellation);
            screen.Result($"this manifest is in force\nfingerprint {fingerprint}", new JsonObject { ["fingerprint"] = fingerprint });
        });

    private static async Task<string> AskAsync(ReachedCoordinator reached, CancellationToken cancellation)
    {
        using MarbleRunClient client = reached.Client();
        MarbleRunManifest manifest = await client.GetManifestAsync(cancellation);
        return manifest.Manifest.IsEmpty ? "" : ManifestFingerprint.Of(manifest.Manifest.Span);
    }
}
