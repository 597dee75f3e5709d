using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

/// <summary>How far an update is, on either wire.</summary>
internal sealed record UpdateProgress(int Missing, ImmutableArray<string> Users, IReadOnlyDictionary<string, byte[]> RecoverySecrets, ImmutableArray<string> Withheld)
{
    public static UpdateProgress Of(MarbleRunUpdate update) => new(update.MissingAcknowledgments, update.MissingUsers, update.RecoverySecrets, []);

    public static UpdateProgress Of(UpdateResultV3 update) => new(update.MissingAcknowledgments, update.MissingUsers, update.RecoverySecrets, update.WithheldSecrets);

    public string Text => string.Join('\n', Lines());

    private IEnumerable<string> Lines()
    {
        if (Missing == 0)
            yield return "the update is in force";
        else
            yield return $"the update waits: {Missing} {(Missing == 1 ? "user" : "users")} must still acknowledge it{(Users.IsDefaultOrEmpty ? "" : $"; these may: {string.Join(", ", Users)}")}";
        if (!Withheld.IsDefaultOrEmpty)
            yield return $"withheld until their owners acknowledge the new manifest (cloister secret acknowledge): {string.Join(", ", Withheld)}";
    }

    public JsonObject ToJson(string fingerprint) => new()
    {
        ["fingerprint"] = fingerprint,
        ["inForce"] = Missing == 0,
        ["missingAcknowledgments"] = Missing,
        ["missingUsers"] = Names(Users),
        ["withheldSecrets"] = Names(Withheld),
    };

    private static JsonArray Names(ImmutableArray<string> names) => new([.. (names.IsDefault ? [] : names).Select(name => (JsonNode)JsonValue.Create(name))]);
}
