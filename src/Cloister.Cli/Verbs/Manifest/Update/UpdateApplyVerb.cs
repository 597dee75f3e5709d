using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class UpdateApplyVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The update manifest, JSON or YAML: a whole manifest, or Packages alone to raise their security versions." };
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Identity User = new();
    private static readonly Option<string?> Recovery = RecoveryData.Option();

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("apply", "Submit an update. It is in force at once, or waits until enough users have acknowledged it.",
            "cloister manifest update apply update.json localhost:4433 --policy owner/policy.json --cert admin.crt --key admin.key",
            "cloister manifest update apply update.json localhost:4433 --coordinator-cert coordinator.pem --pkcs11-config token.json --pkcs11-key-label admin --pkcs11-cert-label admin") { ManifestPath, Recovery }))
        .Runs(async (parsed, screen, cancellation) =>
        {
            byte[] manifest = await ManifestFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation);
            using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            using MarbleRunClient client = reached.Client(user.Certificate);
            MarbleRunUpdate update = await client.ApplyUpdateAsync(manifest, cancellation);
            JsonObject document = UpdateProgress.ToJson(update, ManifestFingerprint.Of(manifest));
            string said = update.MissingAcknowledgments == 0 ? "the update is in force" : "the update waits\n" + UpdateProgress.Missing(update);
            screen.Result(said + await RecoveryData.DeliverAsync(update.RecoverySecrets, parsed.GetValue(Recovery), document, cancellation), document);
        });
}
