using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Rest;

/// <summary>MarbleRun's v1 <c>GET /status</c>.</summary>
internal sealed record StatusV1(int StatusCode, string StatusMessage);

/// <summary>MarbleRun's v1 <c>GET /quote</c>.</summary>
internal sealed record QuoteV1(string Cert, byte[]? Quote);

/// <summary>MarbleRun's v1 <c>GET /manifest</c>; all of it is empty before a manifest is set.</summary>
internal sealed record ManifestV1([property: JsonPropertyName("ManifestSignatureRootECDSA")] byte[]? ManifestSignatureRootEcdsa, string ManifestSignature, byte[]? Manifest);

/// <summary>MarbleRun's <c>POST /api/v2/monotonic-counter</c>; as in Go, what is left out is empty or 0.</summary>
internal sealed record MonotonicCounterRequest([property: JsonPropertyName("name")] string? Name = null, [property: JsonPropertyName("value")] ulong Value = 0);

/// <summary>What the counter held before.</summary>
internal sealed record MonotonicCounterResponse([property: JsonPropertyName("value")] ulong Value);

/// <summary>MarbleRun's <c>POST /api/v2/sign-quote</c>.</summary>
internal sealed record SignQuoteRequest([property: JsonPropertyName("sgxQuote")] byte[]? SgxQuote = null);

/// <summary>The platform's state, and the root key's signature over SHA-256(base64(quote) ‖ state), ASN.1.</summary>
internal sealed record SignQuoteResponse([property: JsonPropertyName("tcbStatus")] string TcbStatus, [property: JsonPropertyName("verificationSignature")] byte[] VerificationSignature);

/// <summary>JSON of MarbleRun's contracts that only the coordinator speaks.</summary>
[JsonSerializable(typeof(JSend<StatusV1>))]
[JsonSerializable(typeof(JSend<QuoteV1>))]
[JsonSerializable(typeof(JSend<ManifestV1>))]
[JsonSerializable(typeof(JSend<string>))]
[JsonSerializable(typeof(JSend<ImmutableDictionary<string, SecretReading>>))]
[JsonSerializable(typeof(ImmutableDictionary<string, SecretValue>))]
[JsonSerializable(typeof(MonotonicCounterRequest))]
[JsonSerializable(typeof(JSend<MonotonicCounterResponse>))]
[JsonSerializable(typeof(SignQuoteRequest))]
[JsonSerializable(typeof(JSend<SignQuoteResponse>))]
[JsonSerializable(typeof(JSend<ImmutableDictionary<string, string>>))]
internal sealed partial class MarbleRunJson : JsonSerializerContext
{
    public static MarbleRunJson Lenient { get; } = new(new JsonSerializerOptions { MaxDepth = 16, PropertyNameCaseInsensitive = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
