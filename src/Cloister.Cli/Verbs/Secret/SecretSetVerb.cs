using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Sealing;

namespace Cloister.Cli.Verbs;

internal static class SecretSetVerb
{
    private static readonly Argument<string> Subject = new("secret") { Description = "With --model-key or --file: the secret, as the manifest names it. Else a file of secrets: JSON by name, or PEM with --from-pem." };
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Identity User = new();
    private static readonly Option<string?> ModelKey = new("--model-key") { Description = "A model's key (from: cloister model keygen)." };
    private static readonly Option<string?> Plain = new("--file") { Description = "A file whose bytes are the secret." };
    private static readonly Option<string?> FromPem = new("--from-pem") { Description = "The secret's name: the file is PEM, with its certificate, its private key, or both." };
    private static readonly Option<string?> Manifest = new("--manifest") { Description = "The manifest that was read and approved: a file, or its fingerprint. Under another no secret is released; with --policy it must be named." };

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("set", "Verify the coordinator, with a fresh nonce, and the manifest's fingerprint; only then upload secrets, all or none.",
            "cloister secret set shapes-key --model-key owner/model.key --manifest manifest.json --coordinator https://localhost:4433 --policy owner/policy.json --cert owner/model-owner.crt --key owner/model-owner.key",
            "cloister secret set secrets.json localhost:4433 --coordinator-cert coordinator.pem -c admin.crt -k admin.key",
            "cloister secret set server.pem localhost:4433 --from-pem server-certificate --coordinator-cert coordinator.pem -c admin.crt -k admin.key") { Subject, ModelKey, Plain, FromPem, Manifest }))
        .Runs(SetAsync);

    private static async Task SetAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string? approved = parsed.GetValue(Manifest) is { } named ? await ManifestFile.FingerprintAsync(named, cancellation) : null;
        if (approved is null && Coordinator.HasPolicy(parsed))
            throw new CommandException(ExitCode.Usage, "Name the manifest that you have read and approved with --manifest: a file, or its fingerprint.");
        using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
        Dictionary<string, SecretValue> secrets = await ReadAsync(parsed, cancellation);
        try
        {
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation,
                adjust: policy => policy with { Manifest = new ManifestRequirement.Exactly(approved!) });
            if (reached.Deployment is { } deployment)
            {
                using var own = new CoordinatorClient(deployment, user.Certificate);
                await own.SetSecretsAsync(secrets, cancellation);
            }
            else
            {
                await SendAsync(reached, user, secrets, approved, cancellation);
            }
            screen.Result(
                (reached.Deployment is null ? "" : $"verified the coordinator with a fresh nonce; manifest {approved}\n") + $"released {string.Join(", ", secrets.Keys.Select(name => $"'{name}'"))}",
                new JsonObject
                {
                    ["secret"] = secrets.Keys.First(),
                    ["secrets"] = new JsonArray([.. secrets.Keys.Select(name => (JsonNode)JsonValue.Create(name))]),
                    ["manifestFingerprint"] = approved,
                    ["simulated"] = reached.Deployment?.Simulated,
                    ["checks"] = reached.Deployment is null ? null : Peer.ToJson(reached.Deployment.Result),
                });
        }
        finally
        {
            SecretFile.Wipe(secrets);
        }
    }

    private static async Task SendAsync(ReachedCoordinator reached, OpenedIdentity user, Dictionary<string, SecretValue> secrets, string? approved, CancellationToken cancellation)
    {
        using MarbleRunClient client = reached.Client(user.Certificate);
        if (approved is not null)
        {
            // MarbleRun's wire cannot bind the upload to a manifest: between this look and the upload it may change.
            MarbleRunManifest manifest = await client.GetManifestAsync(cancellation);
            string inForce = ManifestFingerprint.Of(manifest.Manifest.Span);
            if (inForce != approved)
                throw new CommandException(ExitCode.Refused, $"Another manifest is in force: {inForce}, approved was {approved}. Nothing was released.");
        }
        await client.SetSecretsAsync(secrets, cancellation);
    }

    private static async Task<Dictionary<string, SecretValue>> ReadAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string subject = parsed.GetRequiredValue(Subject);
        string? modelKey = parsed.GetValue(ModelKey), plain = parsed.GetValue(Plain), pem = parsed.GetValue(FromPem);
        if (new[] { modelKey, plain, pem }.Count(given => given is not null) > 1)
            throw new CommandException(ExitCode.Usage, "Name the secret's value once: --model-key, --file or --from-pem.");
        if (pem is not null)
            return await SecretFile.ReadPemAsync(subject, pem, cancellation);
        if (plain is not null)
            return Named(subject, await LocalFile.ReadAsync(plain, cancellation));
        if (modelKey is null)
            return await SecretFile.ReadJsonAsync(subject, cancellation);
        using SecretBytes key = await KeyFile.ReadAsync(modelKey, cancellation);
        return Named(subject, key.Span.ToArray());
    }

    private static Dictionary<string, SecretValue> Named(string name, byte[] value) => new(StringComparer.Ordinal) { [name] = new SecretValue(Key: value) };
}
