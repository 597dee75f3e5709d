using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Protocol.Rest;

/// <summary>MarbleRun's <c>GET /api/v2/update</c>; v3 has the same shape.</summary>
/// <param name="UpdateLog">One JSON line an event, oldest first.</param>
public sealed record UpdateLogV2([property: JsonPropertyName("updateLog")] ImmutableList<string> UpdateLog);

/// <summary>MarbleRun's <c>POST /api/v2/update</c> and <c>POST /api/v2/update-manifest</c>: a new manifest, or the pending one to acknowledge it.</summary>
/// <param name="Manifest">The manifest's bytes; to acknowledge, exactly those of the pending one.</param>
public sealed record UpdateV2([property: JsonPropertyName("manifest")] byte[] Manifest);

/// <summary>The answer to <c>POST /api/v2/update</c>.</summary>
/// <param name="MissingAcknowledgments">0 where the update is in force.</param>
/// <param name="MissingUsers">Who may acknowledge and has not; null where the update is in force.</param>
/// <param name="RecoverySecrets">By recovery key; absent where they did not change.</param>
public sealed record UpdateResultV2(
    [property: JsonPropertyName("missingAcknowledgments")] int MissingAcknowledgments,
    [property: JsonPropertyName("missingUsers")] ImmutableArray<string>? MissingUsers,
    [property: JsonPropertyName("recoverySecrets"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableDictionary<string, byte[]>? RecoverySecrets = null);

/// <summary>MarbleRun's <c>GET /api/v2/update-manifest</c>, and v1's.</summary>
/// <param name="Manifest">The pending manifest.</param>
/// <param name="Message">For people.</param>
/// <param name="MissingUsers">Who may acknowledge and has not.</param>
public sealed record PendingUpdateV2(
    [property: JsonPropertyName("manifest")] byte[] Manifest,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("missingUsers")] ImmutableArray<string>? MissingUsers);

/// <summary>The answer to <c>POST /api/v2/update-manifest</c>.</summary>
/// <param name="Message">For people.</param>
/// <param name="MissingUsers">Who may acknowledge and has not; null where the update is in force.</param>
/// <param name="MissingAcknowledgments">0 where the update is in force.</param>
/// <param name="RecoverySecrets">By recovery key; absent where they did not change.</param>
public sealed record AcknowledgeResultV2(
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("missingUsers")] ImmutableArray<string>? MissingUsers,
    [property: JsonPropertyName("missingAcknowledgments")] int MissingAcknowledgments,
    [property: JsonPropertyName("recoverySecrets"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableDictionary<string, byte[]>? RecoverySecrets = null);

/// <summary>The answer to <c>POST /api/v2/update-cancel</c>.</summary>
/// <param name="Message">For people.</param>
public sealed record CancelResultV2([property: JsonPropertyName("message")] string Message);
