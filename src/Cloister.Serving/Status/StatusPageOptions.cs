namespace Cloister.Serving;

/// <summary>The status page at <see cref="Path"/>.</summary>
public sealed record StatusPageOptions
{
    /// <summary>The page's address.</summary>
    public const string Path = "/status";

    /// <summary>
    /// Whether anybody may read figures. Else anybody sees the models and their states, as probes do, and a caller that the manifest
    /// names sees the figures of the models that it may use.
    /// </summary>
    public bool Open { get; init; }
}
