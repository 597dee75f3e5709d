using System.Text.Json.Serialization;

namespace Cloister.Protocol.Rest;

/// <summary>MarbleRun's <c>POST /api/v2/recover</c>, and the same of v3: one recovery secret.</summary>
/// <param name="RecoverySecret">As the holder's recovery key decrypted it, or that encrypted to the coordinator's ephemeral key (RSA-OAEP-SHA256).</param>
/// <param name="RecoverySecretSignature">The recovery key's PKCS#1 v1.5 SHA-256 signature over the plain secret.</param>
public sealed record RecoverRequest(
    [property: JsonPropertyName("recoverySecret")] byte[] RecoverySecret,
    [property: JsonPropertyName("recoverySecretSignature")] byte[] RecoverySecretSignature);

/// <summary>The answer to <see cref="RecoverRequest"/>.</summary>
/// <param name="Remaining">How many secrets are still needed; 0 when the state is open.</param>
/// <param name="Message">The same for a person.</param>
public sealed record RecoverResult(
    [property: JsonPropertyName("remaining")] int Remaining,
    [property: JsonPropertyName("message")] string Message);

/// <summary>MarbleRun's <c>GET /api/v2/recover/public-key</c>, and the same of v3.</summary>
/// <param name="Algorithm">RSA.</param>
/// <param name="EphemeralPublicKey">SubjectPublicKeyInfo, DER; another one after each start.</param>
public sealed record RecoveryPublicKey(
    [property: JsonPropertyName("algorithm")] string Algorithm,
    [property: JsonPropertyName("ephemeralPublicKey")] byte[] EphemeralPublicKey);
