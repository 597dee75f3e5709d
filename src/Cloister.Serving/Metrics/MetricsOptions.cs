using System.Buffers;

namespace Cloister.Serving;

/// <summary>Where a server's metrics are to be had.</summary>
public sealed record MetricsOptions
{
    /// <summary>The address of Prometheus' text in every house.</summary>
    public const string Path = "/metrics";

    /// <summary>The address under which TF Serving has it.</summary>
    public const string TensorFlowPath = "/monitoring/prometheus/metrics";

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./");

    private static readonly string[] Taken = ["/v1", "/v2", "/status", "/.well-known"];

    /// <summary>The addresses that answer with metrics; none where the list is empty.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [Path, TensorFlowPath];

    /// <summary>
    /// Whether anybody may read them. Else only callers that the manifest names may, and see the models that they may use.
    /// </summary>
    public bool Open { get; init; }

    /// <summary>Whether metrics can lie at this address: it is one, and no protocol's.</summary>
    public static bool IsPath(string path) =>
        path.Length is > 1 and <= 256 && path[0] == '/' && !path.AsSpan().ContainsAnyExcept(Allowed) && !path.Contains("//", StringComparison.Ordinal)
        && !Taken.Any(taken => path.Equals(taken, StringComparison.OrdinalIgnoreCase) || path.StartsWith(taken + "/", StringComparison.OrdinalIgnoreCase));
}
