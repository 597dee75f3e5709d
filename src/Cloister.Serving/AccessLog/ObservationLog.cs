using Microsoft.Extensions.Logging;

namespace Cloister.Serving.AccessLog;

/// <summary>Ids 4450-4499 are those of Metrics, Status and AccessLog.</summary>
internal static partial class ObservationLog
{
    [LoggerMessage(4450, LogLevel.Error, "{Lines} line(s) of the access log were not written: {Reason}")]
    public static partial void LinesDropped(this ILogger logger, int lines, string reason);
}
