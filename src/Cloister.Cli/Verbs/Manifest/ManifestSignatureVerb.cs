using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class ManifestSignatureVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The manifest, JSON or YAML." };

    public static Command Create() => new Verb("signature", "Print a manifest's fingerprint (SHA-256), which MarbleRun calls its signature; no coordinator is asked.",
        "cloister manifest signature manifest.json") { ManifestPath }
        .Runs(async (parsed, screen, cancellation) =>
        {
            string fingerprint = ManifestFingerprint.Of(await ManifestFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation));
            screen.Result(fingerprint, new JsonObject { ["fingerprint"] = fingerprint });
        });
}
