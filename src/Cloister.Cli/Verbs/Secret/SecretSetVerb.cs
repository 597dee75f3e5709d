using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Sealing;

namespace Cloister.Cli.Verbs;

internal static class SecretSetVerb
{
    private static readonly Argument<string> Name = new("name") { Description = "The secret, as the manifest names it." };
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string?> Certificate = Peer.Certificate();
    private static readonly Option<string?> Key = Peer.Key();
    private static readonly Option<string?> ModelKey = new("--model-key") { Description = "A model's key (from: cloister model keygen)." };
    private static readonly Option<string?> Plain = new("--file") { Description = "A file whose bytes are the secret." };
    private static readonly Option<string> Manifest = new("--manifest") { Description = "The manifest that was read and approved: a file, or its fingerprint. Under another the secret is not released.", Required = true };

    public static Command Create() => new Verb("set", "Verify the coordinator with a fresh nonce and the manifest's fingerprint; only then upload a secret.",
        "cloister secret set shapes-key --model-key owner/model.key --manifest manifest.json --coordinator https://localhost:4433 --policy owner/policy.json --cert owner/model-owner.crt --key owner/model-owner.key")
        { Name, Coordinator, Policy, Certificate, Key, ModelKey, Plain, Manifest }
        .Runs(SetAsync);

    private static async Task SetAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string approved = parsed.GetRequiredValue(Manifest);
        string fingerprint = ManifestFingerprint.IsValid(approved) ? approved : ManifestFingerprint.Of(await LocalFile.ReadAsync(approved, cancellation, ManifestReader.MaxBytes));
        using X509Certificate2 user = await Peer.ReadIdentityAsync(parsed.GetValue(Certificate), parsed.GetValue(Key), cancellation);
        CoordinatorPolicy policy = await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation) with { Manifest = new ManifestRequirement.Exactly(fingerprint) };
        VerifiedDeployment deployment = await Peer.VerifyAsync(Peer.Address(parsed.GetRequiredValue(Coordinator)), policy, screen, cancellation);
        string name = parsed.GetRequiredValue(Name);
        byte[] secret = await ReadSecretAsync(parsed, cancellation);
        try
        {
            using var client = new CoordinatorClient(deployment, user);
            await client.SetSecretsAsync(new Dictionary<string, SecretValue> { [name] = new(Key: secret) }, cancellation);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
        screen.Result(
            $"verified the coordinator with a fresh nonce; manifest {fingerprint}\nreleased '{name}'",
            new JsonObject { ["secret"] = name, ["manifestFingerprint"] = fingerprint, ["simulated"] = deployment.Simulated, ["checks"] = Peer.ToJson(deployment.Result) });
    }

    private static async Task<byte[]> ReadSecretAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(ModelKey) is null == parsed.GetValue(Plain) is null)
            throw new CommandException(ExitCode.Usage, "Name the secret's value: either --model-key or --file.");
        if (parsed.GetValue(Plain) is { } file)
            return await LocalFile.ReadAsync(file, cancellation);
        using SecretBytes key = await KeyFile.ReadAsync(parsed.GetValue(ModelKey)!, cancellation);
        return key.Span.ToArray();
    }
}
