using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cloister.Protocol.Rest;

namespace Cloister.Client.MarbleRun;

// The documents of MarbleRun's REST versions 1 and 2 as a client reads them: versions differ in the case of names and in what
// they leave away, so names are matched in any case and everything may be absent.

internal sealed record StatusWire(int? Code = null, string? Message = null, int? StatusCode = null, string? StatusMessage = null);

internal sealed record QuoteWire(string? Cert = null, byte[]? Quote = null);

internal sealed record ManifestWire(byte[]? ManifestSignatureRootECDSA = null, string? ManifestFingerprint = null, string? ManifestSignature = null, byte[]? Manifest = null);

internal sealed record RecoverySecretsWire(ImmutableDictionary<string, byte[]>? RecoverySecrets = null);

internal sealed record UpdateLogWire(ImmutableArray<string>? UpdateLog = null);

internal sealed record UpdateWire(int? MissingAcknowledgments = null, ImmutableArray<string>? MissingUsers = null, ImmutableDictionary<string, byte[]>? RecoverySecrets = null, byte[]? Manifest = null, string? Message = null);

internal sealed record RecoveryWire(int? Remaining = null, string? Message = null);

internal sealed record RecoveryKeyWire(string? Algorithm = null, byte[]? EphemeralPublicKey = null);

internal sealed record SecretWire(string? Type = null, uint Size = 0, bool Shared = false, bool UserDefined = false, uint ValidFor = 0, byte[]? Cert = null, byte[]? Private = null, byte[]? Public = null);

internal sealed record SecretsWire(ImmutableDictionary<string, SecretWire>? Secrets = null);

internal sealed record ManifestRequest([property: JsonPropertyName("manifest")] byte[] Manifest);

internal sealed record RecoveryRequest([property: JsonPropertyName("recoverySecret")] byte[] RecoverySecret, [property: JsonPropertyName("recoverySecretSignature")] byte[] RecoverySecretSignature);

internal sealed record SecretsRequest([property: JsonPropertyName("secrets")] ImmutableDictionary<string, SecretValue> Secrets);

/// <summary>Source-generated JSON of MarbleRun's documents: names in any case, unknown members ignored, as Go reads.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, MaxDepth = 16)]
[JsonSerializable(typeof(JSend<object>))]
[JsonSerializable(typeof(JSend<string>))]
[JsonSerializable(typeof(JSend<StatusWire>))]
[JsonSerializable(typeof(JSend<QuoteWire>))]
[JsonSerializable(typeof(JSend<ManifestWire>))]
[JsonSerializable(typeof(JSend<RecoverySecretsWire>))]
[JsonSerializable(typeof(JSend<UpdateLogWire>))]
[JsonSerializable(typeof(JSend<UpdateWire>))]
[JsonSerializable(typeof(JSend<RecoveryWire>))]
[JsonSerializable(typeof(JSend<RecoveryKeyWire>))]
[JsonSerializable(typeof(JSend<SecretsWire>))]
[JsonSerializable(typeof(JSend<ImmutableDictionary<string, SecretWire>>), TypeInfoPropertyName = "JSendSecretMap")]
[JsonSerializable(typeof(ManifestRequest))]
[JsonSerializable(typeof(RecoveryRequest))]
[JsonSerializable(typeof(SecretsRequest))]
[JsonSerializable(typeof(ImmutableDictionary<string, SecretValue>), TypeInfoPropertyName = "SecretValues")]
internal sealed partial class MarbleRunJson : JsonSerializerContext;
