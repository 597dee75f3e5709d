using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Protocol.Rest;

/// <summary><c>POST /api/v3/update</c>: a manifest with packages alone raises their security versions, any other is to replace the one in force.</summary>
/// <param name="Manifest">The manifest's bytes.</param>
/// <param name="OwnerSignatures">Over this manifest; may be empty where the coordinator asks for no owner.</param>
public sealed record UpdateV3(
    [property: JsonPropertyName("manifest")] byte[] Manifest,
    [property: JsonPropertyName("ownerSignatures")] ImmutableArray<OwnerSignatureV3> OwnerSignatures);

/// <summary><c>POST /api/v3/update-manifest</c>.</summary>
/// <param name="Manifest">Exactly the bytes of the pending manifest.</param>
public sealed record AcknowledgeUpdateV3([property: JsonPropertyName("manifest")] byte[] Manifest);

/// <summary>The answer to <see cref="UpdateV3"/> and <see cref="AcknowledgeUpdateV3"/>.</summary>
/// <param name="Fingerprint">Of the manifest that is in force now, hex.</param>
/// <param name="MissingAcknowledgments">How many are still needed; 0 where the update is in force.</param>
/// <param name="MissingUsers">Who may acknowledge and has not; empty where the update is in force.</param>
/// <param name="RecoverySecrets">By recovery key: the encrypted share; empty where recovery did not change.</param>
/// <param name="WithheldSecrets">All secrets that workloads do not get until their owners acknowledge the manifest in force.</param>
public sealed record UpdateResultV3(
    [property: JsonPropertyName("fingerprint")] string Fingerprint,
    [property: JsonPropertyName("missingAcknowledgments")] int MissingAcknowledgments,
    [property: JsonPropertyName("missingUsers")] ImmutableArray<string> MissingUsers,
    [property: JsonPropertyName("recoverySecrets")] ImmutableDictionary<string, byte[]> RecoverySecrets,
    [property: JsonPropertyName("withheldSecrets")] ImmutableArray<string> WithheldSecrets);

/// <summary><c>GET /api/v3/update-manifest</c>.</summary>
/// <param name="Manifest">The pending manifest's exact bytes.</param>
/// <param name="Fingerprint">Their SHA-256, hex.</param>
/// <param name="OwnerSignatures">Signatures that came with it.</param>
/// <param name="AcknowledgedBy">Users who sent or acknowledged it, in their order.</param>
/// <param name="MissingAcknowledgments">How many are still needed.</param>
/// <param name="MissingUsers">Who may acknowledge and has not.</param>
public sealed record PendingUpdateV3(
    [property: JsonPropertyName("manifest")] byte[] Manifest,
    [property: JsonPropertyName("fingerprint")] string Fingerprint,
    [property: JsonPropertyName("ownerSignatures")] ImmutableArray<OwnerSignatureV3> OwnerSignatures,
    [property: JsonPropertyName("acknowledgedBy")] ImmutableArray<string> AcknowledgedBy,
    [property: JsonPropertyName("missingAcknowledgments")] int MissingAcknowledgments,
    [property: JsonPropertyName("missingUsers")] ImmutableArray<string> MissingUsers);

/// <summary><c>POST /api/v3/update-cancel</c>.</summary>
/// <param name="Fingerprint">Of the pending manifest, hex: another one that came in between is left alone.</param>
public sealed record CancelUpdateV3([property: JsonPropertyName("fingerprint")] string Fingerprint);

/// <summary><c>POST /api/v3/secrets/acknowledge</c>: the owner agrees that workloads get withheld secrets under a new manifest.</summary>
/// <param name="ManifestFingerprint">The manifest that the owner verified, hex; refused unless it is the one in force.</param>
/// <param name="Secrets">Names.</param>
public sealed record AcknowledgeSecretsV3(
    [property: JsonPropertyName("manifestFingerprint")] string ManifestFingerprint,
    [property: JsonPropertyName("secrets")] ImmutableArray<string> Secrets);
