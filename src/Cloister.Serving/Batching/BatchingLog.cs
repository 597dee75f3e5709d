using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Batching;

/// <summary>Ids 4400-4449 are this folder's and Execution's.</summary>
internal static partial class BatchingLog
{
    [LoggerMessage(4400, LogLevel.Information, "Requests of model {Model} are joined: up to {Size} items, waiting up to {Milliseconds:0.###} ms")]
    public static partial void Batched(this ILogger logger, string model, int size, double milliseconds);

    [LoggerMessage(4401, LogLevel.Warning, "Requests of model {Model} are not joined into batches: {Reason}")]
    public static partial void NotBatched(this ILogger logger, string model, string reason);
}
