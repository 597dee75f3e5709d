using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cloister.Protocol.Rest;

/// <summary>
/// Source-generated JSON of the REST contracts. <see cref="Strict"/> refuses unknown, repeated and missing members and is for
/// everything of v3; <see cref="Lenient"/> ignores unknown members, as MarbleRun's v2 does.
/// </summary>
[JsonSerializable(typeof(JSend<object>))]
[JsonSerializable(typeof(JSend<StatusV3>))]
[JsonSerializable(typeof(JSend<EvidenceV3>))]
[JsonSerializable(typeof(JSend<ManifestV3>))]
[JsonSerializable(typeof(SetManifestV3))]
[JsonSerializable(typeof(JSend<SetManifestResultV3>))]
[JsonSerializable(typeof(UploadSecretsV3))]
[JsonSerializable(typeof(JSend<SecretsV3>))]
[JsonSerializable(typeof(JSend<WorkloadEvidenceV3>))]
[JsonSerializable(typeof(CredentialV3))]
[JsonSerializable(typeof(JSend<CredentialSecretV3>))]
[JsonSerializable(typeof(JSend<StatusV2>))]
[JsonSerializable(typeof(JSend<QuoteV2>))]
[JsonSerializable(typeof(JSend<ManifestV2>))]
[JsonSerializable(typeof(SetManifestV2))]
[JsonSerializable(typeof(JSend<SetManifestResultV2>))]
[JsonSerializable(typeof(UploadSecretsV2))]
[JsonSerializable(typeof(JSend<SecretsV2>))]
[JsonSerializable(typeof(JSend<UpdateLogV2>))]
[JsonSerializable(typeof(UpdateV2))]
[JsonSerializable(typeof(JSend<UpdateResultV2>))]
[JsonSerializable(typeof(JSend<PendingUpdateV2>))]
[JsonSerializable(typeof(JSend<AcknowledgeResultV2>))]
[JsonSerializable(typeof(JSend<CancelResultV2>))]
[JsonSerializable(typeof(UpdateV3))]
[JsonSerializable(typeof(AcknowledgeUpdateV3))]
[JsonSerializable(typeof(JSend<UpdateResultV3>))]
[JsonSerializable(typeof(JSend<PendingUpdateV3>))]
[JsonSerializable(typeof(CancelUpdateV3))]
[JsonSerializable(typeof(AcknowledgeSecretsV3))]
[JsonSerializable(typeof(RecoverRequest))]
[JsonSerializable(typeof(JSend<RecoverResult>))]
[JsonSerializable(typeof(JSend<RecoveryPublicKey>))]
public sealed partial class RestJson : JsonSerializerContext
{
    /// <summary>Refuses unknown, repeated and missing members.</summary>
    public static RestJson Strict { get; } = new(Rules(JsonUnmappedMemberHandling.Disallow, allowDuplicates: false));

    /// <summary>Ignores unknown members and the case of names, as Go does; of repeated ones the last wins.</summary>
    public static RestJson Lenient { get; } = new(new JsonSerializerOptions(Rules(JsonUnmappedMemberHandling.Skip, allowDuplicates: true)) { PropertyNameCaseInsensitive = true });

    /// <summary>Reads a body, bounded before anything is parsed.</summary>
    /// <param name="json">The whole body, without byte order mark, comments or trailing text.</param>
    /// <param name="type">A member of <see cref="Strict"/> or <see cref="Lenient"/>.</param>
    /// <param name="maxBytes">Bound of the body.</param>
    /// <exception cref="ProtocolException">The body is too large or not this document; the text never repeats its values.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, int maxBytes = DefaultMaxBytes)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (json.Length > maxBytes) throw new ProtocolException(ProtocolError.TooLarge, "", $"The body has {json.Length} bytes; the limit is {maxBytes}.");
        try
        {
            return JsonSerializer.Deserialize(json, type)
                ?? throw new ProtocolException(ProtocolError.NotTheDocument, "", "The body is null.");
        }
        catch (JsonException error)
        {
            // The serializer's text may quote the offending value, which may be a secret: the path says enough.
            string where = error.LineNumber is { } line ? $" (line {line + 1}, byte {error.BytePositionInLine})" : "";
            throw new ProtocolException(ProtocolError.NotTheDocument, error.Path ?? "", $"not the JSON this request expects: unknown, missing, repeated or wrongly typed member, or a syntax error{where}.");
        }
    }

    /// <summary>Writes a document as UTF-8.</summary>
    public static byte[] Write<T>(T document, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(document, type);

    /// <summary>Largest body by default: 8 MiB, which holds the largest manifest as base64.</summary>
    public const int DefaultMaxBytes = 8 << 20;

    private static JsonSerializerOptions Rules(JsonUnmappedMemberHandling unknown, bool allowDuplicates) => new()
    {
        UnmappedMemberHandling = unknown,
        AllowDuplicateProperties = allowDuplicates,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 16,
        // As Go writes it: a '+' of base64 or of a PEM stays a '+'. Every answer is application/json or text/plain with nosniff.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Fuzz target for the bodies and answers of v3.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        FuzzOne(data, Strict.SetManifestV3);
        FuzzOne(data, Strict.UploadSecretsV3);
        FuzzOne(data, Strict.JSendEvidenceV3);
        FuzzOne(data, Strict.JSendManifestV3);
        FuzzOne(data, Strict.CredentialV3);
        FuzzOne(data, Strict.JSendCredentialSecretV3);
        FuzzOne(data, Lenient.UploadSecretsV2);
        FuzzOne(data, Lenient.RecoverRequest);
        FuzzOne(data, Strict.UpdateV3);
        FuzzOne(data, Strict.CancelUpdateV3);
        FuzzOne(data, Strict.AcknowledgeSecretsV3);
        FuzzOne(data, Lenient.UpdateV2);
    }

    private static void FuzzOne<T>(ReadOnlySpan<byte> data, JsonTypeInfo<T> type)
    {
        try
        {
            byte[] written = Write(Read(data, type), type);
            if (!Write(Read(written, type), type).AsSpan().SequenceEqual(written)) throw new InvalidOperationException("A body did not survive being written.");
        }
        catch (ProtocolException)
        {
            // The documented refusal.
        }
    }
}
