using System.Net;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Metrics;

/// <summary>Ids 2500-2549 are this folder's; an id is never reused.</summary>
internal static partial class MetricsLog
{
    [LoggerMessage(2500, LogLevel.Information, "Metrics and events are served in plain HTTP on {Address}")]
    public static partial void MetricsServed(this ILogger logger, IPEndPoint address);
}
