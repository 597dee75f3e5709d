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

/// <summary>JSON of MarbleRun's contracts that only the coordinator speaks.</summary>
[JsonSerializable(typeof(JSend<StatusV1>))]
[JsonSerializable(typeof(JSend<QuoteV1>))]
[JsonSerializable(typeof(JSend<ManifestV1>))]
[JsonSerializable(typeof(JSend<string>))]
[JsonSerializable(typeof(JSend<ImmutableDictionary<string, SecretReading>>))]
[JsonSerializable(typeof(ImmutableDictionary<string, SecretValue>))]
internal sealed partial class MarbleRunJson : JsonSerializerContext
{
    public static MarbleRunJson Lenient { get; } = new(new JsonSerializerOptions { MaxDepth = 16, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
