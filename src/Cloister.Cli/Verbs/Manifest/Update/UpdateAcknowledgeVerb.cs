using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
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
            UpdateProgress progress = await SendAsync(reached, user, manifest, cancellation);
            JsonObject document = progress.ToJson(ManifestFingerprint.Of(manifest));
            screen.Result("acknowledged\n" + progress.Text + await RecoveryData.DeliverAsync(progress.RecoverySecrets, parsed.GetValue(Recovery), document, cancellation), document);
        });

    private static async Task<UpdateProgress> SendAsync(ReachedCoordinator reached, OpenedIdentity user, byte[] manifest, CancellationToken cancellation)
    {
        if (reached.Deployment is { } deployment)
        {
            using var own = new CoordinatorClient(deployment, user.Certificate);
            return UpdateProgress.Of(await own.AcknowledgeUpdateAsync(manifest, cancellation));
        }
        using MarbleRunClient client = reached.Client(user.Certificate);
        return UpdateProgress.Of(await client.AcknowledgeUpdateAsync(manifest, cancellation));
    }
}
