using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Partitioned;

/// <summary>Ids 4650-4699 are this folder's. Inputs, what crosses the cut, and classes are never parameters.</summary>
internal static partial class PartitionedLog
{
    [LoggerMessage(4650, LogLevel.Information, "Model {Model} runs in parts with {Accelerators} accelerator(s): its report, signed by {Assessor} over the whole model of digest {Digest}, measured {Scores}")]
    public static partial void Opened(this ILogger logger, string model, int accelerators, string assessor, string digest, string scores);

    [LoggerMessage(4651, LogLevel.Warning, "MODEL {Model} RUNS WHOLLY INSIDE WHENEVER NO ACCELERATOR CAN BE USED: its maker's configuration says \"fallback\": \"inside\". Nothing is less protected then, and answers are slower")]
    public static partial void FallsBackInside(this ILogger logger, string model);

    [LoggerMessage(4652, LogLevel.Warning, "MODEL {Model} WAS CUT WITHOUT AN ASSESSMENT: nobody measured what an accelerator can rebuild of its inputs, and the manifest demands no score")]
    public static partial void NotAssessed(this ILogger logger, string model);

    [LoggerMessage(4653, LogLevel.Warning, "No accelerator is ready for model {Model} yet; its requests wait for one and are refused when their time is over")]
    public static partial void NoAcceleratorYet(this ILogger logger, string model);

    [LoggerMessage(4654, LogLevel.Warning, "The operator's batching is not used for model {Model}: requests of a model in parts are joined on their way to the accelerators")]
    public static partial void PartitionedNotBatched(this ILogger logger, string model);

    [LoggerMessage(4655, LogLevel.Warning, "A request of model {Model} was refused: {Error}")]
    public static partial void AcceleratorsFailed(this ILogger logger, string model, Cloister.Partitioning.PartitioningError error);
}
