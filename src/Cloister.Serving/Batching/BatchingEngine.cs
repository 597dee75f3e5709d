using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Batching;

/// <summary>Joins the requests of a model into batches. What cannot be joined goes to the engine by itself.</summary>
internal sealed class BatchingEngine : IModelEngine
{
    private readonly ICallableEngine _engine;
    private readonly TensorPool _pool;
    private readonly BatchQueue _queue;

    /// <summary>Takes over the engine, whose outputs must follow the first dimension of its inputs: <see cref="BatchProbe"/> finds out.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public BatchingEngine(ICallableEngine engine, TensorPool pool, BatchingOptions options, TimeProvider time)
    {
        if (options.Problem() is { } problem) throw new ArgumentException(problem, nameof(options));
        (_engine, _pool) = (engine, pool);
        _queue = new BatchQueue(engine, pool, options, Statistics, time);
    }

    /// <inheritdoc/>
    public string Platform => _engine.Platform;

    /// <inheritdoc/>
    public IReadOnlyList<TensorInfo> Inputs => _engine.Inputs;

    /// <inheritdoc/>
    public IReadOnlyList<TensorInfo> Outputs => _engine.Outputs;

    /// <summary>How requests are joined.</summary>
    public BatchingOptions Options => _queue.Options;

    /// <summary>How they were.</summary>
    public BatchStatistics Statistics { get; } = new();

    /// <inheritdoc/>
    public EngineLoad Load => new(_queue.Load.Waiting, _queue.Load.Limit, _engine.Load.Running);

    /// <inheritdoc/>
    public bool IsOverloaded(out TimeSpan retryAfter)
    {
        if (_engine.IsOverloaded(out retryAfter)) return true;
        bool full = _queue.IsFull;
        retryAfter = full ? _queue.RetryAfter : TimeSpan.Zero;
        return full;
    }

    /// <inheritdoc/>
    public Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        _engine.Demand(inputs);
        if (BatchShape.Items(inputs) is not { } items) return _engine.PredictAsync(inputs, timeout, cancellation);
        if (items <= Options.MaxBatchSize) return _queue.AddAsync(inputs, items, timeout, cancellation);
        return Options.SplitLargeRequests
            ? SplitAsync(inputs, items, timeout, cancellation)
            : throw new ServingException(ServingError.BatchTooLarge, $"The request has {items} items; this model takes at most {Options.MaxBatchSize} at once.");
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Dispose();
        await _engine.DisposeAsync();
    }

    /// <summary>Runs a large request in parts, as many at a time as may run; they join others' batches like any request.</summary>
    private async Task<Prediction> SplitAsync(IReadOnlyList<Tensor> inputs, int items, TimeSpan timeout, CancellationToken cancellation)
    {
        int most = Options.MaxBatchSize, count = (items + most - 1) / most;
        // One share more than there are parts: the request's tensors stay the caller's.
        SharedTensor[] whole = [.. inputs.Select(input => new SharedTensor(input, count + 1))];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var parts = new Task<Prediction>[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                if (i >= _engine.Lane.Concurrency) await parts[i - _engine.Lane.Concurrency];
                parts[i] = PartAsync(whole, i * most, Math.Min(most, items - (i * most)), timeout, stop.Token);
            }
            Prediction[] done = await Task.WhenAll(parts);
            return new Prediction(
                BatchTensors.Concatenate([.. done.Select(part => part.Outputs)], _pool),
                done.Max(part => part.Queued), TimeSpan.FromTicks(done.Sum(part => part.Computed.Ticks)));
        }
        finally
        {
            await stop.CancelAsync();
            foreach (Task<Prediction>? part in parts)
            {
                if (part is null) continue;
                await ((Task)part).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (part.IsCompletedSuccessfully) part.Result.Dispose();
            }
        }
    }

    private async Task<Prediction> PartAsync(SharedTensor[] whole, int first, int items, TimeSpan timeout, CancellationToken cancellation)
    {
        Tensor[] inputs = [.. whole.Select(tensor => Tensor.Part(tensor, first, items))];
        try
        {
            return await _queue.AddAsync(inputs, items, timeout, cancellation);
        }
        finally
        {
            foreach (Tensor input in inputs) input.Dispose();
        }
    }
}
