using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Surfaces;

/// <summary>Ids 4200-4249 are this folder's. A request's content and its credentials are never parameters.</summary>
internal static partial class SurfaceLog
{
    [LoggerMessage(4200, LogLevel.Debug, "{Path} refused with {Status} (serving error {Error})")]
    public static partial void Refused(this ILogger logger, string? path, int status, int error);

    [LoggerMessage(4201, LogLevel.Error, "{Path} failed")]
    public static partial void RequestFailed(this ILogger logger, string? path, Exception exception);

    [LoggerMessage(4202, LogLevel.Debug, "{Path}: the caller went away before the answer")]
    public static partial void CallerGone(this ILogger logger, string? path);
}
