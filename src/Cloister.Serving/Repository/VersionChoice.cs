using System.Globalization;

namespace Cloister.Serving.Repository;

/// <summary>Which version of a model a request asks for: a number, a label, or (by default) the newest.</summary>
/// <param name="Number">The version's number; null if it is not asked for by number.</param>
/// <param name="Label">The label that names the version; null if it is not asked for by label.</param>
internal readonly record struct VersionChoice(long? Number, string? Label)
{
    /// <summary>The newest version that is available.</summary>
    public static VersionChoice Newest => default;

    /// <summary>Reads the version in an address; null asks for the newest.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.VersionNotFound"/>: no version is called so.</exception>
    public static VersionChoice Parse(string model, string? version) => version is null
        ? Newest
        : long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? new VersionChoice(number, null)
            : throw new ServingException(ServingError.VersionNotFound, $"Model '{model}' has no version '{version}': versions are whole numbers.");
}
