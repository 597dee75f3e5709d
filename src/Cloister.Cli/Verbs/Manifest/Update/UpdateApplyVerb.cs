using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class UpdateApplyVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The update manifest, JSON or YAML: a whole manifest, or Packages alone to raise their security versions." };
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Identity User = new();
    private static readonly Option<string?> OwnerKey = new("--owner-key") { Description = "Sign the manifest with this key (PEM, P-256 or P-384); with --policy alone." };
    private static readonly Option<string?> Recovery = RecoveryData.Option();

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("apply", "Submit an update. It is in force at once, or waits until enough users have acknowledged it.",
            "cloister manifest update apply update.json localhost:4433 --policy owner/policy.json --cert admin.crt --key admin.key",
            "cloister manifest update apply update.json localhost:4433 --coordinator-cert coordinator.pem --pkcs11-config token.json --pkcs11-key-label admin --pkcs11-cert-label admin") { ManifestPath, Recovery, OwnerKey }))
        .Runs(ApplyAsync);

    private static async Task ApplyAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        byte[] manifest = await ManifestFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation);
        string fingerprint = ManifestFingerprint.Of(manifest);
        if (parsed.GetValue(OwnerKey) is not null && !Coordinator.HasPolicy(parsed))
            throw new CommandException(ExitCode.Usage, "--owner-key signs for Cloister's own wire: verify the coordinator with --policy.");
        OwnerSignature[] signatures = parsed.GetValue(OwnerKey) is { } path ? [await SignAsync(path, fingerprint, cancellation)] : [];
        using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
        ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
        UpdateProgress progress = await SendAsync(reached, user, manifest, signatures, cancellation);
        JsonObject document = progress.ToJson(fingerprint);
        screen.Result(progress.Text + await RecoveryData.DeliverAsync(progress.RecoverySecrets, parsed.GetValue(Recovery), document, cancellation), document);
    }

    private static async Task<UpdateProgress> SendAsync(ReachedCoordinator reached, OpenedIdentity user, byte[] manifest, OwnerSignature[] signatures, CancellationToken cancellation)
    {
        if (reached.Deployment is { } deployment)
        {
            using var own = new CoordinatorClient(deployment, user.Certificate);
            return UpdateProgress.Of(await own.UpdateAsync(manifest, signatures, cancellation));
        }
        using MarbleRunClient client = reached.Client(user.Certificate);
        return UpdateProgress.Of(await client.ApplyUpdateAsync(manifest, cancellation));
    }

    private static async Task<OwnerSignature> SignAsync(string path, string fingerprint, CancellationToken cancellation)
    {
        using ECDsa key = await SigningKey.ReadAsync(path, cancellation);
        return ManifestOwner.Sign(key, fingerprint);
    }
}
