using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class ManifestGetVerb
{
    private static readonly Reach Coordinator = new(Trust.Fresh);
    private static readonly Option<string?> Out = new("--output", "-o", "--out") { Description = "Write it to this file: the manifest's exact bytes, unless -u or -s is given." };
    private static readonly Option<bool> Updates = new("--display-update", "-u") { Description = "Show the security versions that updates have raised." };
    private static readonly Option<bool> Signature = new("--signature", "-s") { Description = "Show the fingerprint too, as MarbleRun does: {\"ManifestSignature\", \"Manifest\"}." };
    private static readonly Option<bool> Keep = new("--keep-cert") { Description = "Keep the coordinator's certificates for later verbs, where --coordinator-cert says." };

    public static Command Create() => Coordinator.AddTo(new Verb("get", "Verify the coordinator, then read the manifest in force.",
            "cloister manifest get --coordinator https://localhost:4433 --policy owner/policy.json --out manifest.json",
            "cloister manifest get localhost:4433 --era-config coordinator-era.json -u -s") { Out, Updates, Signature, Keep })
        .Runs(async (parsed, screen, cancellation) =>
        {
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            using MarbleRunClient client = reached.Client();
            ReadOnlyMemory<byte> manifest = reached.Deployment is { } deployment ? deployment.ManifestBytes : await InForceAsync(client, cancellation);
            if (manifest.IsEmpty)
                throw new CommandException(ExitCode.Unavailable, "No manifest is in force yet. Set one with: cloister manifest set");
            string fingerprint = ManifestFingerprint.Of(manifest.Span);
            string text = parsed.GetValue(Updates) ? ManifestFile.WithUpdates(manifest, await client.GetUpdateLogAsync(cancellation)) : Encoding.UTF8.GetString(manifest.Span);
            string shown = parsed.GetValue(Signature) ? $"{{\n\"ManifestSignature\": \"{fingerprint}\",\n\"Manifest\": {text}}}" : text;
            if (parsed.GetValue(Out) is { } path)
                await LocalFile.WriteAsync(path, parsed.GetValue(Updates) || parsed.GetValue(Signature) ? Encoding.UTF8.GetBytes(shown) : manifest, cancellation);
            if (parsed.GetValue(Keep))
                await Coordinator.KeepAsync(reached, parsed, screen, cancellation);
            screen.Result(
                parsed.GetValue(Out) is { } file ? $"wrote the manifest to '{file}'\nfingerprint {fingerprint}" : shown,
                new JsonObject { ["fingerprint"] = fingerprint, ["manifest"] = text });
        });

    /// <summary>The manifest on MarbleRun's wire; what its coordinator says of the fingerprint is checked.</summary>
    private static async Task<ReadOnlyMemory<byte>> InForceAsync(MarbleRunClient client, CancellationToken cancellation)
    {
        MarbleRunManifest answer = await client.GetManifestAsync(cancellation);
        return answer.Manifest.IsEmpty || answer.Fingerprint.Equals(ManifestFingerprint.Of(answer.Manifest.Span), StringComparison.OrdinalIgnoreCase)
            ? answer.Manifest
            : throw new ClientException(ClientError.AnswerMalformed, "The manifest that came has another fingerprint than the coordinator says.");
    }
}
