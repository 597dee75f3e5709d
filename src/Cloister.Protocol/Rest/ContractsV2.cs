using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Protocol.Rest;

/// <summary>MarbleRun's <c>GET /api/v2/status</c>.</summary>
/// <param name="Code">A <see cref="CoordinatorState"/>.</param>
/// <param name="Message">The same for a person.</param>
public sealed record StatusV2(
    [property: JsonPropertyName("code")] int Code,
    [property: JsonPropertyName("message")] string Message);

/// <summary>MarbleRun's <c>GET /api/v2/quote</c>.</summary>
/// <param name="Cert">PEM: intermediate, then root.</param>
/// <param name="Quote">SGX quote; null in simulation, and written as null.</param>
public sealed record QuoteV2(
    [property: JsonPropertyName("cert")] string Cert,
    [property: JsonPropertyName("quote")] byte[]? Quote);

/// <summary>MarbleRun's <c>GET /api/v2/manifest</c>.</summary>
/// <param name="ManifestSignatureRootEcdsa">Root key's ECDSA signature over the manifest's SHA-256, ASN.1.</param>
/// <param name="ManifestFingerprint">SHA-256, hex.</param>
/// <param name="Manifest">The exact bytes that were set.</param>
public sealed record ManifestV2(
    [property: JsonPropertyName("manifestSignatureRootECDSA")] byte[] ManifestSignatureRootEcdsa,
    [property: JsonPropertyName("manifestFingerprint")] string ManifestFingerprint,
    [property: JsonPropertyName("manifest")] byte[] Manifest);

/// <summary>MarbleRun's <c>POST /api/v2/manifest</c>.</summary>
/// <param name="Manifest">The manifest's bytes.</param>
public sealed record SetManifestV2([property: JsonPropertyName("manifest")] byte[] Manifest);

/// <summary>The answer to <see cref="SetManifestV2"/>.</summary>
/// <param name="RecoverySecrets">By recovery key; null where there is none.</param>
public sealed record SetManifestResultV2([property: JsonPropertyName("RecoverySecrets")] ImmutableDictionary<string, byte[]>? RecoverySecrets);

/// <summary>MarbleRun's <c>POST /api/v2/secrets</c>.</summary>
/// <param name="Secrets">By name.</param>
public sealed record UploadSecretsV2([property: JsonPropertyName("secrets")] ImmutableDictionary<string, SecretValue> Secrets);

/// <summary>MarbleRun's <c>GET /api/v2/secrets?s=a&amp;s=b</c>.</summary>
/// <param name="Secrets">By name.</param>
public sealed record SecretsV2([property: JsonPropertyName("secrets")] ImmutableDictionary<string, SecretReading> Secrets);
