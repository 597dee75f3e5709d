using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class ManifestSetVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The manifest, JSON." };
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string?> OwnerKey = new("--owner-key") { Description = "Sign the manifest with this key (PEM, P-256 or P-384)." };

    public static Command Create() => new Verb("set", "Verify the coordinator, then set its manifest.",
        "cloister manifest set manifest.json --coordinator https://localhost:4433 --policy operator/policy.json --owner-key operator/operator.key")
        { ManifestPath, Coordinator, Policy, OwnerKey }
        .Runs(SetAsync);

    private static async Task SetAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        byte[] manifest = await LocalFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation, ManifestReader.MaxBytes);
        string fingerprint = ManifestFingerprint.Of(manifest);
        OwnerSignature[] signatures = parsed.GetValue(OwnerKey) is { } path ? [await SignAsync(path, fingerprint, cancellation)] : [];
        var policy = await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation);
        VerifiedDeployment deployment = await Peer.VerifyAsync(Peer.Address(parsed.GetRequiredValue(Coordinator)), policy.BeforeManifest(), screen, cancellation);
        using var client = new CoordinatorClient(deployment);
        SetManifestResultV3 result = await client.SetManifestAsync(manifest, signatures, cancellation);
        screen.Result($"the manifest is in force\nfingerprint {result.Fingerprint}", new JsonObject { ["fingerprint"] = result.Fingerprint });
    }

    private static async Task<OwnerSignature> SignAsync(string path, string fingerprint, CancellationToken cancellation)
    {
        using ECDsa key = await SigningKey.ReadAsync(path, cancellation);
        return ManifestOwner.Sign(key, fingerprint);
    }
}
