using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class ManifestSetVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The manifest, JSON or YAML." };
    private static readonly Reach Coordinator = new(Trust.Fresh);
    private static readonly Option<string?> OwnerKey = new("--owner-key") { Description = "Sign the manifest with this key (PEM, P-256 or P-384); Cloister's coordinators may demand it." };
    private static readonly Option<string?> Recovery = RecoveryData.Option();

    public static Command Create() => Coordinator.AddTo(new Verb("set", "Verify the coordinator, then set its manifest.",
            "cloister manifest set manifest.json --coordinator https://localhost:4433 --policy operator/policy.json --owner-key operator/operator.key",
            "cloister manifest set manifest.json localhost:4433 --era-config coordinator-era.json -r recovery.json") { ManifestPath, OwnerKey, Recovery })
        .Runs(SetAsync);

    private static async Task SetAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        byte[] manifest = await ManifestFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation);
        string fingerprint = ManifestFingerprint.Of(manifest);
        OwnerSignature[] signatures = parsed.GetValue(OwnerKey) is { } path ? [await SignAsync(path, fingerprint, cancellation)] : [];
        ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation, adjust: policy => policy.BeforeManifest());
        IReadOnlyDictionary<string, byte[]> secrets = await SendAsync(reached, manifest, signatures, cancellation);
        JsonObject document = new() { ["fingerprint"] = fingerprint };
        string said = $"the manifest is in force\nfingerprint {fingerprint}" + await RecoveryData.DeliverAsync(secrets, parsed.GetValue(Recovery), document, cancellation);
        await Coordinator.KeepAsync(reached, parsed, screen, cancellation);
        screen.Result(said, document);
    }

    private static async Task<IReadOnlyDictionary<string, byte[]>> SendAsync(ReachedCoordinator reached, byte[] manifest, OwnerSignature[] signatures, CancellationToken cancellation)
    {
        if (reached.Deployment is { } deployment)
        {
            using var own = new CoordinatorClient(deployment);
            SetManifestResultV3 result = await own.SetManifestAsync(manifest, signatures, cancellation);
            return result.RecoverySecrets;
        }
        if (signatures.Length > 0)
            throw new CommandException(ExitCode.Usage, "--owner-key signs for Cloister's own wire: verify the coordinator with --policy.");
        using MarbleRunClient client = reached.Client();
        return await client.SetManifestAsync(manifest, cancellation);
    }

    private static async Task<OwnerSignature> SignAsync(string path, string fingerprint, CancellationToken cancellation)
    {
        using ECDsa key = await SigningKey.ReadAsync(path, cancellation);
        return ManifestOwner.Sign(key, fingerprint);
    }
}
