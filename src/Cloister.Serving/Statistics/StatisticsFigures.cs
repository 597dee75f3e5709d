using Cloister.Serving.Batching;

namespace Cloister.Serving.Statistics;

/// <summary>A count and a sum of times, read once.</summary>
/// <param name="Count">How often.</param>
/// <param name="Nanoseconds">How long in sum.</param>
internal readonly record struct DurationFigures(long Count, long Nanoseconds)
{
    public static DurationFigures Of(DurationStatistic statistic) => new(statistic.Count, statistic.Nanoseconds);
}

/// <summary>What runs of one size took.</summary>
/// <param name="Size">Items a run.</param>
/// <param name="Input">Reading the inputs.</param>
/// <param name="Infer">The model's own time.</param>
/// <param name="Output">Writing the outputs.</param>
internal readonly record struct BatchDurations(long Size, DurationFigures Input, DurationFigures Infer, DurationFigures Output);

/// <summary>A reading of <see cref="ModelStatistics"/>: what REST and gRPC tell of one version.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">The version.</param>
/// <param name="LastInference">When the last request came, in milliseconds since 1970.</param>
/// <param name="Inferences">How many items were answered.</param>
/// <param name="Executions">How often the model ran.</param>
/// <param name="Success">Requests that were answered.</param>
/// <param name="Fail">Requests that were not.</param>
/// <param name="Queue">Waiting.</param>
/// <param name="Input">Receiving and reading inputs.</param>
/// <param name="Infer">The model's own time.</param>
/// <param name="Output">Writing and sending outputs.</param>
/// <param name="Batches">By size, ascending.</param>
internal sealed record StatisticsFigures(
    string Model, long Version, long LastInference, long Inferences, long Executions, DurationFigures Success, DurationFigures Fail,
    DurationFigures Queue, DurationFigures Input, DurationFigures Infer, DurationFigures Output, IReadOnlyList<BatchDurations> Batches)
{
    /// <summary>Reads the statistics of a version.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="version">The version.</param>
    /// <param name="statistics">What its requests did.</param>
    /// <param name="joined">How its requests were joined since it was loaded; null if they never are.</param>
    public static StatisticsFigures Of(string model, long version, ModelStatistics statistics, BatchFigures? joined)
    {
        // It is counted last, so it is read first: no answered request is without its parts then.
        DurationFigures success = DurationFigures.Of(statistics.Success);
        return new StatisticsFigures(
            model, version, statistics.LastInference, statistics.Inferences, joined?.Batches ?? statistics.Executions,
            success, DurationFigures.Of(statistics.Fail), DurationFigures.Of(statistics.Queue),
            DurationFigures.Of(statistics.ComputeInput), DurationFigures.Of(statistics.ComputeInfer), DurationFigures.Of(statistics.ComputeOutput),
            joined is null
                ? [.. statistics.Batches.Select(batch => new BatchDurations(
                    batch.Key, DurationFigures.Of(batch.Value.ComputeInput), DurationFigures.Of(batch.Value.ComputeInfer), DurationFigures.Of(batch.Value.ComputeOutput)))]
                // Inputs are read and outputs written request by request: a batch has no time of its own for them.
                : [.. joined.Sizes.Select(size => new BatchDurations(
                    size.Size, default, new DurationFigures(size.Batches, size.Computed.Ticks * TimeSpan.NanosecondsPerTick), default))]);
    }
}
