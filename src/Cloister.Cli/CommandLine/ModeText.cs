using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.CommandLine;

/// <summary>Says how the models of a verified deployment protect what they are sent.</summary>
internal static class ModeText
{
    private const string Open = "not stated: wholly inside the attested workload, or encrypted if the client encrypts; never partitioned";

    /// <summary>One line for every model whose mode the manifest states.</summary>
    public static IEnumerable<string> Of(ManifestDocument manifest) =>
        manifest.Models.Where(model => model.Value.Mode is not null).Select(model => $"model {model.Key}: {Of(model.Value)}");

    /// <summary>The line of one model of a type; of one that the type does not hold, that its mode is not stated.</summary>
    public static string Of(ManifestDocument manifest, string type, string model) =>
        manifest.Marbles.TryGetValue(type, out ManifestMarble? marble) && marble.Models.Contains(model) && manifest.Models.TryGetValue(model, out ManifestModel? found) ? Of(found) : $"mode {Open}";

    /// <summary>By model: its mode, in ordinal order.</summary>
    public static JsonObject ToJson(IEnumerable<KeyValuePair<string, string>> modes) => new(modes.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value)));

    /// <summary>By model: the mode that a manifest states.</summary>
    public static JsonObject ToJson(ManifestDocument manifest) =>
        ToJson(manifest.Models.Where(model => model.Value.Mode is not null).Select(model => KeyValuePair.Create(model.Key, model.Value.Mode!)));

    /// <summary>A mode that a person asks for; null for none.</summary>
    /// <exception cref="CommandException">There is no such mode.</exception>
    public static string? Asked(string? wanted) => wanted is null || ModelModes.All.Contains(wanted)
        ? wanted
        : throw new CommandException(ExitCode.Usage, $"'{wanted}' is no mode. There are {string.Join(", ", ModelModes.All)}.");

    private static string Of(ManifestModel model) => model.Mode is not { } mode ? $"mode {Open}"
        : model.Partition is { } partition ? $"mode {mode}: {ModelModes.Meaning(mode)} (the manifest demands {Of(partition)})"
        : $"mode {mode}: {ModelModes.Meaning(mode)}";

    private static string Of(ManifestPartition partition)
    {
        string[] demands = [.. partition.MinimumScores.Where(score => score.Value > 0).Select(score => string.Create(CultureInfo.InvariantCulture, $"{score.Key} {score.Value:0.###}"))];
        return demands.Length == 0 ? "nothing of it" : $"at least {string.Join(", ", demands)} of 1";
    }
}
