using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Counters;

/// <summary>Ids 2550-2574 are this folder's; an id is never reused.</summary>
internal static partial class CounterLog
{
    [LoggerMessage(2550, LogLevel.Information, "Counter of workload type {Type} with UUID {Uuid}: held {Held}, asked {Asked}")]
    public static partial void CounterRaised(this ILogger logger, string type, Guid uuid, ulong held, ulong asked);
}
