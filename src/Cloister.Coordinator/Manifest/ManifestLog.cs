using Cloister.Protocol.Manifest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Manifest;

/// <summary>Ids 2100-2149 are this folder's; an id is never reused.</summary>
internal static partial class ManifestLog
{
    [LoggerMessage(2100, LogLevel.Information, "Manifest {Fingerprint} set in dialect {Dialect}; state version {Version}")]
    public static partial void ManifestSet(this ILogger logger, string fingerprint, ManifestDialect dialect, long version);

    [LoggerMessage(2101, LogLevel.Warning, "Manifest refused, {Error}: {Problems} problem(s), first: {First}")]
    public static partial void ManifestRefused(this ILogger logger, CoordinatorError error, int problems, string first);

    [LoggerMessage(2102, LogLevel.Warning, "Manifest: {Warning}")]
    public static partial void ManifestWarning(this ILogger logger, string warning);
}
