using System.Text.Json.Nodes;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

/// <summary>How far an update is, in words and as JSON.</summary>
internal static class UpdateProgress
{
    public static string Missing(MarbleRunUpdate update) =>
        $"{update.MissingAcknowledgments} {(update.MissingAcknowledgments == 1 ? "user" : "users")} must still acknowledge it" + (update.MissingUsers.IsEmpty ? "" : $"; these may: {string.Join(", ", update.MissingUsers)}");

    public static JsonObject ToJson(MarbleRunUpdate update, string fingerprint) => new()
    {
        ["fingerprint"] = fingerprint,
        ["inForce"] = update.MissingAcknowledgments == 0,
        ["missingAcknowledgments"] = update.MissingAcknowledgments,
        ["missingUsers"] = new JsonArray([.. update.MissingUsers.Select(user => (JsonNode)JsonValue.Create(user))]),
    };
}
