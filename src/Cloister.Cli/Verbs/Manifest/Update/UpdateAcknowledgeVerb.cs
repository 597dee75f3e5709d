using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class UpdateAcknowledgeVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The update manifest that you have read and agree to; it must be the pending one, byte for byte." };
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Identity User = new();
    private static readonly Option<string?> Recovery = RecoveryData.Option();

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("acknowledge", "Agree to the pending update. Every user hands in the same manifest.",
            "cloister manifest update acknowledge update.json localhost:4433 --policy owner/policy.json --cert other.crt --key other.key") { ManifestPath, Recovery }))
        .Runs(async (parsed, screen, cancellation) =>
        {
            byte[] manifest = await ManifestFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation);
            using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            using MarbleRunClient client = reached.Client(user.Certificate);
            MarbleRunUpdate update = await client.AcknowledgeUpdateAsync(manifest, cancellation);
            JsonObject document = UpdateProgress.ToJson(update, ManifestFingerprint.Of(manifest));
            string said = "acknowledged\n" + (update.MissingAcknowledgments == 0 ? "all users have acknowledged: the update is in force" : UpdateProgress.Missing(update));
            screen.Result(said + await RecoveryData.DeliverAsync(update.RecoverySecrets, parsed.GetValue(Recovery), document, cancellation), document);
        });
}
