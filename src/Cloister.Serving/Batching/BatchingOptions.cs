namespace Cloister.Serving;

/// <summary>
/// How requests of one model are joined into batches. The names and the meaning are TF Serving's <c>batching_parameters</c>
/// (session_bundle_config.proto); sizes count items along the tensors' first dimension.
/// </summary>
public sealed record BatchingOptions
{
    /// <summary>The most items that may be written for any size.</summary>
    public const int LargestBatch = 1 << 20;

    /// <summary>The most items that one run takes (<c>max_batch_size</c>).</summary>
    public int MaxBatchSize { get; init; } = 64;

    /// <summary>
    /// How long an unfilled batch waits for more requests while all threads of the model are busy or <see cref="WaitWhenIdle"/> holds
    /// (<c>batch_timeout_micros</c>).
    /// </summary>
    public TimeSpan BatchTimeout { get; init; } = TimeSpan.Zero;

    /// <summary>
    /// Whether an unfilled batch waits for its timeout even while a thread is idle, as TF Serving's does. Without it a lone request
    /// runs at once, and batches form of what arrives while others run.
    /// </summary>
    public bool WaitWhenIdle { get; init; }

    /// <summary>How many full batches may wait; a request beyond them is refused as an overload (<c>max_enqueued_batches</c>).</summary>
    public int MaxEnqueuedBatches { get; init; } = 10;

    /// <summary>
    /// The sizes that the engine is run with, ascending; a batch is filled up to the next of them with copies of its last item.
    /// Empty: any size (<c>allowed_batch_sizes</c>). The last one must be <see cref="MaxBatchSize"/>.
    /// </summary>
    public IReadOnlyList<int> AllowedBatchSizes { get; init; } = [];

    /// <summary>How many batches of the model may run at once; null for as many as the server has threads (<c>num_batch_threads</c>).</summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Whether a request of more items than <see cref="MaxBatchSize"/> is run in several parts; without it such a request is refused
    /// (<c>enable_large_batch_splitting</c>).
    /// </summary>
    public bool SplitLargeRequests { get; init; } = true;

    /// <summary>What is wrong with these options, in a sentence for the person who wrote them; null if nothing is.</summary>
    public string? Problem()
    {
        if (MaxBatchSize is < 1 or > LargestBatch) return $"max_batch_size must be from 1 to {LargestBatch}, not {MaxBatchSize}.";
        if (BatchTimeout < TimeSpan.Zero || BatchTimeout > TimeSpan.FromMinutes(1)) return $"batch_timeout_micros must be from 0 to 60000000, not {BatchTimeout.TotalMicroseconds:0}.";
        if (MaxEnqueuedBatches is < 1 or > LargestBatch) return $"max_enqueued_batches must be from 1 to {LargestBatch}, not {MaxEnqueuedBatches}.";
        if (Threads is < 1 or > 4096) return $"num_batch_threads must be from 1 to 4096, not {Threads}.";
        for (int i = 0; i < AllowedBatchSizes.Count; i++)
            if (AllowedBatchSizes[i] <= (i == 0 ? 0 : AllowedBatchSizes[i - 1])) return "allowed_batch_sizes must be positive and ascending.";
        return AllowedBatchSizes.Count > 0 && AllowedBatchSizes[^1] != MaxBatchSize
            ? $"The last of allowed_batch_sizes must be max_batch_size ({MaxBatchSize}), not {AllowedBatchSizes[^1]}."
            : null;
    }

    /// <inheritdoc/>
    public bool Equals(BatchingOptions? other) =>
        other is not null && MaxBatchSize == other.MaxBatchSize && BatchTimeout == other.BatchTimeout && WaitWhenIdle == other.WaitWhenIdle
        && MaxEnqueuedBatches == other.MaxEnqueuedBatches && Threads == other.Threads && SplitLargeRequests == other.SplitLargeRequests
        && AllowedBatchSizes.SequenceEqual(other.AllowedBatchSizes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MaxBatchSize, BatchTimeout, WaitWhenIdle, MaxEnqueuedBatches, Threads, SplitLargeRequests, AllowedBatchSizes.Count);
}
