using Cloister.Coordinator.Stores;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Rest;

/// <summary>Ids 2050-2099 are this folder's; an id is never reused; a secret is never a parameter.</summary>
internal static partial class RestLog
{
    [LoggerMessage(2050, LogLevel.Information, "{Method} {Path} refused, {Error}: {Reason}")]
    public static partial void RequestRefused(this ILogger logger, string method, string path, CoordinatorError error, string reason);

    [LoggerMessage(2052, LogLevel.Information, "Usage of deprecated API endpoint {Path}. Consider using /api/v2{Path} instead")]
    public static partial void DeprecatedPath(this ILogger logger, string path);

    [LoggerMessage(2051, LogLevel.Error, "{Method} {Path} failed: {Error}")]
    public static partial void StorageFailed(this ILogger logger, string method, string path, StoreError error, Exception exception);
}
