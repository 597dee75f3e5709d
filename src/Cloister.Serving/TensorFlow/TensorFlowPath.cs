using System.Text.RegularExpressions;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>An address of TF Serving's REST API, matched without regard to case as TF Serving's own expressions do.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">The version asked for, if any.</param>
/// <param name="Label">The version label asked for, if any.</param>
/// <param name="Verb">predict, classify, regress, metadata in lower case; empty for the status.</param>
internal sealed partial record TensorFlowPath(string Model, string? Version, string? Label, string Verb)
{
    /// <summary>The version asked for.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.VersionNotFound"/>: the number is none.</exception>
    public VersionChoice Choice => Label is null ? VersionChoice.Parse(Model, Version) : new VersionChoice(null, Label);

    /// <summary>Reads an address; null if it is none of this API's.</summary>
    public static TensorFlowPath? Parse(string path)
    {
        Match match = Pattern().Match(path);
        if (!match.Success) return null;
        string verb = match.Groups["verb"].Success ? match.Groups["verb"].Value : match.Groups["metadata"].Success ? "metadata" : "";
        return new TensorFlowPath(match.Groups["model"].Value, Value(match, "version"), Value(match, "label"), verb.ToLowerInvariant());
    }

    private static string? Value(Match match, string group) => match.Groups[group] is { Success: true } found ? found.Value : null;

    [GeneratedRegex(@"\A/v1/models/(?<model>[^/:]+)(?:/versions/(?<version>[0-9]+)|/labels/(?<label>[^/:]+))?(?::(?<verb>classify|regress|predict)|(?<metadata>/metadata))?\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
