using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Counters;

/// <summary>Ids 2550-2574 are this folder's; an id is never reused.</summary>
internal static partial class CounterLog
{
    [LoggerMessage(2550, LogLevel.Information, "Counter of workload type {Type} with UUID {Uuid}: held {Held}, asked {Asked}")]
    public static partial void CounterRaised(this ILogger logger, string type, Guid uuid, ulong held, ulong asked);

    [LoggerMessage(2551, LogLevel.Information, "Sealed disk {Name} of workload type {Type}: version {Version} counts, committed by UUID {Uuid}")]
    public static partial void DiskCommitted(this ILogger logger, string type, Guid uuid, string name, ulong version);

    [LoggerMessage(2552, LogLevel.Warning, "Sealed disk {Name} of workload type {Type}: version {Version} of UUID {Uuid} came too late, another version {Counts} counts. Two machines use one disk, or one was put back")]
    public static partial void DiskCommitRefused(this ILogger logger, string type, Guid uuid, string name, ulong version, ulong counts);
}
