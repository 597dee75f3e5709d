using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Protocol.Rest;

/// <summary>Coordinator states, with MarbleRun's numbers.</summary>
public enum CoordinatorState
{
    /// <summary>Starting.</summary>
    Uninitialized = 0,
    /// <summary>The state is sealed to a key that is not here: recovery is needed.</summary>
    Recovery = 1,
    /// <summary>Waits for its manifest.</summary>
    AcceptingManifest = 2,
    /// <summary>Activates marbles.</summary>
    AcceptingMarbles = 3,
}

/// <summary><c>GET /api/v3/status</c>.</summary>
/// <param name="Code">A <see cref="CoordinatorState"/>.</param>
/// <param name="Message">The same for a person.</param>
/// <param name="Simulated">Whether its evidence is simulated: it then proves nothing against the host.</param>
/// <param name="Version">The program's version.</param>
public sealed record StatusV3(
    [property: JsonPropertyName("code")] int Code,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("simulated")] bool Simulated,
    [property: JsonPropertyName("version")] string Version);

/// <summary><c>GET /api/v3/evidence?nonce=</c>.</summary>
/// <param name="Evidence">Encoded evidence set over Binding(Coordinator, nonce, the root's key); runtime data: <see cref="Trust.CoordinatorStatement"/>.</param>
/// <param name="CertificateChain">PEM: intermediate, then root.</param>
/// <param name="MarbleRoot">PEM.</param>
/// <param name="Simulated">As in <see cref="StatusV3"/>; a hint, the evidence decides.</param>
public sealed record EvidenceV3(
    [property: JsonPropertyName("evidence")] byte[] Evidence,
    [property: JsonPropertyName("certificateChain")] string CertificateChain,
    [property: JsonPropertyName("marbleRoot")] string MarbleRoot,
    [property: JsonPropertyName("simulated")] bool Simulated);

/// <summary><c>POST /api/v3/credential</c>: a credential made for the keys that the coordinator's evidence shows.</summary>
/// <param name="Blob">TPM2B_ID_OBJECT.</param>
/// <param name="EncryptedSecret">TPM2B_ENCRYPTED_SECRET.</param>
public sealed record CredentialV3(
    [property: JsonPropertyName("blob")] byte[] Blob,
    [property: JsonPropertyName("encryptedSecret")] byte[] EncryptedSecret);

/// <summary>The answer to <see cref="CredentialV3"/>.</summary>
/// <param name="Secret">What the TPM found in it; whoever made the credential compares.</param>
public sealed record CredentialSecretV3([property: JsonPropertyName("secret")] byte[] Secret)
{
    /// <summary>Names no value.</summary>
    public override string ToString() => "CredentialSecretV3";
}

/// <summary>A manifest owner's signature on the wire.</summary>
/// <param name="PublicKey">SubjectPublicKeyInfo, DER.</param>
/// <param name="Signature">IEEE P1363 r||s.</param>
public sealed record OwnerSignatureV3(
    [property: JsonPropertyName("publicKey")] byte[] PublicKey,
    [property: JsonPropertyName("signature")] byte[] Signature);

/// <summary><c>GET /api/v3/manifest</c>.</summary>
/// <param name="Manifest">The exact bytes that were set.</param>
/// <param name="Fingerprint">Their SHA-256, hex.</param>
/// <param name="OwnerSignatures">Signatures that came with it.</param>
public sealed record ManifestV3(
    [property: JsonPropertyName("manifest")] byte[] Manifest,
    [property: JsonPropertyName("fingerprint")] string Fingerprint,
    [property: JsonPropertyName("ownerSignatures")] ImmutableArray<OwnerSignatureV3> OwnerSignatures);

/// <summary><c>POST /api/v3/manifest</c>.</summary>
/// <param name="Manifest">The manifest's bytes.</param>
/// <param name="OwnerSignatures">May be empty where the coordinator asks for no owner.</param>
public sealed record SetManifestV3(
    [property: JsonPropertyName("manifest")] byte[] Manifest,
    [property: JsonPropertyName("ownerSignatures")] ImmutableArray<OwnerSignatureV3> OwnerSignatures);

/// <summary>The answer to <see cref="SetManifestV3"/>.</summary>
/// <param name="Fingerprint">SHA-256 of the manifest now in force, hex.</param>
/// <param name="RecoverySecrets">By recovery key: the encrypted share, or empty where the manifest names no recovery key.</param>
public sealed record SetManifestResultV3(
    [property: JsonPropertyName("fingerprint")] string Fingerprint,
    [property: JsonPropertyName("recoverySecrets")] ImmutableDictionary<string, byte[]> RecoverySecrets);

/// <summary>A user-defined secret's value: a key, or a certificate with its private key.</summary>
/// <param name="Key">Of a symmetric or plain secret.</param>
/// <param name="Cert">DER certificate.</param>
/// <param name="Private">PKCS#8 private key.</param>
public sealed record SecretValue(
    [property: JsonPropertyName("Key"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? Key = null,
    [property: JsonPropertyName("Cert"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? Cert = null,
    [property: JsonPropertyName("Private"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? Private = null)
{
    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => Key is not null ? "SecretValue(Key)" : "SecretValue(Cert, Private)";
}

/// <summary><c>POST /api/v3/secrets</c>: refused unless the fingerprint is the one in force, in the same transaction.</summary>
/// <param name="ManifestFingerprint">The manifest that the uploader verified, hex.</param>
/// <param name="Secrets">By name.</param>
public sealed record UploadSecretsV3(
    [property: JsonPropertyName("manifestFingerprint")] string ManifestFingerprint,
    [property: JsonPropertyName("secrets")] ImmutableDictionary<string, SecretValue> Secrets);

/// <summary>A secret as it is read back; member names as MarbleRun writes them.</summary>
/// <param name="Type">The manifest's type.</param>
/// <param name="Size">Bits.</param>
/// <param name="Shared">Whether all marbles have the same value.</param>
/// <param name="UserDefined">Whether a user uploads it.</param>
/// <param name="Cert">DER, of a certificate.</param>
/// <param name="ValidFor">Days, of a certificate.</param>
/// <param name="Private">The key, or PKCS#8.</param>
/// <param name="Public">The key again, or SubjectPublicKeyInfo.</param>
/// <param name="Withheld">Whether an update withholds it until its owner acknowledges; left out where not.</param>
public sealed record SecretReading(
    [property: JsonPropertyName("Type")] string Type,
    [property: JsonPropertyName("Size")] uint Size,
    [property: JsonPropertyName("Shared")] bool Shared,
    [property: JsonPropertyName("UserDefined")] bool UserDefined,
    [property: JsonPropertyName("Cert")] byte[]? Cert,
    [property: JsonPropertyName("ValidFor")] uint ValidFor,
    [property: JsonPropertyName("Private")] byte[]? Private = null,
    [property: JsonPropertyName("Public")] byte[]? Public = null,
    [property: JsonPropertyName("Withheld"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Withheld = false)
{
    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => $"SecretReading({Type})";
}

/// <summary><c>GET /api/v3/secrets?s=a&amp;s=b</c>.</summary>
/// <param name="Secrets">By name; a secret that is not set has null keys.</param>
public sealed record SecretsV3([property: JsonPropertyName("secrets")] ImmutableDictionary<string, SecretReading> Secrets);

/// <summary><c>GET /.well-known/cloister/evidence?nonce=</c> of a workload.</summary>
/// <param name="Evidence">Encoded evidence set over Binding(Workload, nonce, the served certificate's key); runtime data: <see cref="Trust.WorkloadStatement"/>.</param>
/// <param name="CertificateChain">PEM: leaf, then intermediate.</param>
/// <param name="Simulated">A hint, the evidence decides.</param>
public sealed record WorkloadEvidenceV3(
    [property: JsonPropertyName("evidence")] byte[] Evidence,
    [property: JsonPropertyName("certificateChain")] string CertificateChain,
    [property: JsonPropertyName("simulated")] bool Simulated);
