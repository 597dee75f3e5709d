using System.Collections.Concurrent;

namespace Cloister.Serving.Statistics;

/// <summary>
/// What one version of a model did since the server started (Triton's statistics extension), whatever the surface. Counted
/// without a lock: figures that are read while requests end may be some requests apart.
/// </summary>
internal sealed class ModelStatistics
{
    /// <summary>No more sizes are told apart: callers choose them.</summary>
    public const int MaximumBatchSizes = 128;

    private readonly ConcurrentDictionary<long, BatchStatistic> _batches = new();
    private long _lastInference, _inferences, _executions;

    /// <summary>When the last request came, in milliseconds since 1970; 0 if none came.</summary>
    public long LastInference => Interlocked.Read(ref _lastInference);

    /// <summary>How many items were answered.</summary>
    public long Inferences => Interlocked.Read(ref _inferences);

    /// <summary>How many requests were answered.</summary>
    public long Executions => Interlocked.Read(ref _executions);

    /// <summary>Requests that were answered, from their first byte to the last of the answer.</summary>
    public DurationStatistic Success { get; } = new();

    /// <summary>Requests that were refused or failed after the version was chosen.</summary>
    public DurationStatistic Fail { get; } = new();

    /// <summary>Waiting for a thread or a batch.</summary>
    public DurationStatistic Queue { get; } = new();

    /// <summary>Receiving and reading the inputs.</summary>
    public DurationStatistic ComputeInput { get; } = new();

    /// <summary>The model's own time.</summary>
    public DurationStatistic ComputeInfer { get; } = new();

    /// <summary>Writing and sending the outputs.</summary>
    public DurationStatistic ComputeOutput { get; } = new();

    /// <summary>What requests took by their number of items, ascending.</summary>
    public IReadOnlyList<KeyValuePair<long, BatchStatistic>> Batches => [.. _batches.ToArray().OrderBy(batch => batch.Key)];

    /// <summary>A request was answered.</summary>
    /// <param name="items">How many examples it held.</param>
    /// <param name="times">What it took.</param>
    /// <param name="now">The time of day.</param>
    public void Succeeded(long items, PredictionTimes times, DateTimeOffset now)
    {
        Interlocked.Exchange(ref _lastInference, now.ToUnixTimeMilliseconds());
        Interlocked.Add(ref _inferences, items);
        Interlocked.Increment(ref _executions);
        Queue.Add(times.Queue);
        ComputeInput.Add(times.Input);
        ComputeInfer.Add(times.Infer);
        ComputeOutput.Add(times.Output);
        if (Batch(items) is { } batch)
        {
            batch.ComputeInput.Add(times.Input);
            batch.ComputeInfer.Add(times.Infer);
            batch.ComputeOutput.Add(times.Output);
        }
        // Last: who sees a request among those that were answered sees its parts, too.
        Success.Add(times.Total);
    }

    /// <summary>A request was not answered.</summary>
    public void Failed(TimeSpan total, DateTimeOffset now)
    {
        Interlocked.Exchange(ref _lastInference, now.ToUnixTimeMilliseconds());
        Fail.Add(total);
    }

    private BatchStatistic? Batch(long items) => _batches.TryGetValue(items, out BatchStatistic? batch)
        ? batch
        : _batches.Count < MaximumBatchSizes ? _batches.GetOrAdd(items, static _ => new BatchStatistic()) : null;
}
