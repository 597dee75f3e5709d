using System.Globalization;
using System.Text.RegularExpressions;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>
/// An address of TF Serving's REST API. As there, it is matched as it was sent, without regard to case, and only then are names and
/// labels decoded: <c>%2F</c> in a name is part of it.
/// </summary>
/// <param name="Model">The model's name; empty if none stands there.</param>
/// <param name="Choice">The version or the label asked for.</param>
/// <param name="Verb">predict, classify, regress, metadata in lower case; empty for the status.</param>
internal sealed partial record TensorFlowPath(string Model, VersionChoice Choice, string Verb)
{
    /// <summary>Reads an address.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path as it was sent, without the query.</param>
    /// <exception cref="ServingException">It is none of this API's, or none with this method.</exception>
    public static TensorFlowPath Parse(string method, string path)
    {
        Match? match = method switch { "POST" => Prediction().Match(path), "GET" => Document().Match(path), _ => null };
        if (match is not { Success: true }) throw new ServingException(ServingError.InvalidRequest, $"Malformed request: {method} {path}");
        VersionChoice choice = VersionChoice.Newest;
        if (match.Groups["version"] is { Success: true } version)
        {
            if (!long.TryParse(version.Value, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
                throw new ServingException(ServingError.InvalidRequest, $"Failed to convert version: {version.Value} to numeric.");
            choice = new VersionChoice(number, null);
        }
        else if (match.Groups["label"] is { Success: true } label) choice = new VersionChoice(null, Uri.UnescapeDataString(label.Value));
        return new TensorFlowPath(Uri.UnescapeDataString(match.Groups["model"].Value), choice, match.Groups["verb"].Value.ToLowerInvariant());
    }

    [GeneratedRegex(@"\A/v1/models/(?<model>[^/:]+)(?:/versions/(?<version>[0-9]+)|/labels/(?<label>[^/:]+))?:(?<verb>classify|regress|predict)\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Prediction();

    [GeneratedRegex(@"\A/v1/models(?:/(?<model>[^/:]+))?(?:/versions/(?<version>[0-9]+)|/labels/(?<label>[^/:]+))?(?:/(?<verb>metadata))?\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Document();
}
