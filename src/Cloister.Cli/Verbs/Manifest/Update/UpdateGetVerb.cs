using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class UpdateGetVerb
{
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Write it to this file: the pending manifest's exact bytes." };
    private static readonly Option<bool> Missing = new("--missing") { Description = "Show who has not acknowledged it yet, instead of the manifest." };

    public static Command Create() => Coordinator.AddTo(new Verb("get", "Read the pending update.",
            "cloister manifest update get localhost:4433 --policy owner/policy.json -o update.json",
            "cloister manifest update get localhost:4433 --policy owner/policy.json --missing") { Output, Missing })
        .Runs(async (parsed, screen, cancellation) =>
        {
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            using MarbleRunClient client = reached.Client();
            MarbleRunPendingUpdate pending = await client.GetPendingUpdateAsync(cancellation);
            string manifest = Encoding.UTF8.GetString(pending.Manifest.Span), fingerprint = ManifestFingerprint.Of(pending.Manifest.Span);
            string shown = parsed.GetValue(Missing) ? $"these users have not acknowledged the update yet: {string.Join(", ", pending.MissingUsers)}" : manifest;
            if (parsed.GetValue(Output) is { } path)
                await LocalFile.WriteAsync(path, parsed.GetValue(Missing) ? Encoding.UTF8.GetBytes(shown + "\n") : pending.Manifest, cancellation);
            screen.Result(parsed.GetValue(Output) is { } file ? $"wrote it to '{file}'\nfingerprint {fingerprint}" : shown, new JsonObject
            {
                ["fingerprint"] = fingerprint,
                ["manifest"] = manifest,
                ["missingUsers"] = new JsonArray([.. pending.MissingUsers.Select(user => (JsonNode)JsonValue.Create(user))]),
            });
        });
}
