using Cloister.Onnx.Runtime;
using Cloister.Partitioning;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Partitioned;

/// <summary>
/// Predicts with a model in parts: the first on the executor's threads, the second on accelerators that nobody trusts, the rest and the class
/// mapping on the executor's threads again. While a request is outside it holds no thread, so that many are under way at once.
/// </summary>
internal sealed class PartitionedEngine : IModelEngine
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly PartitionedParts _parts;
    private readonly Lane _front, _tail;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _limit;
    private int _inside;

    /// <summary>Takes over the parts.</summary>
    /// <param name="parts">What runs.</param>
    /// <param name="executor">Runs what is inside.</param>
    /// <param name="queueLimit">How many requests may wait; null for the executor's own limit.</param>
    /// <param name="concurrency">How many runs inside may be under way at once; null for as many as there are threads.</param>
    /// <param name="logger">Told of requests that accelerators failed.</param>
    public PartitionedEngine(PartitionedParts parts, InferenceExecutor executor, int? queueLimit, int? concurrency, ILogger logger)
    {
        (_parts, _time, _logger) = (parts, executor.Time, logger);
        _limit = checked((queueLimit ?? executor.Options.QueueLimit) + executor.Options.Threads);
        // Two queues, and none can be full: what came back from outside does not wait behind what has not begun.
        (_front, _tail) = (executor.CreateLane(_limit, concurrency), executor.CreateLane(_limit, concurrency));
    }

    public string Platform => "cloister_partitioned";

    public IReadOnlyList<TensorInfo> Inputs => _parts.Runner.Inputs;

    public IReadOnlyList<TensorInfo> Outputs => _parts.Outputs;

    public bool AnswersInOneSize => true;

    public bool IsReady => _parts.RunsInside || _parts.Accelerators.Accelerators.Any(accelerator => accelerator.Phase == AcceleratorPhase.Ready);

    public EngineLoad Load => new(Volatile.Read(ref _inside), _limit, _front.Load.Running + _tail.Load.Running);

    /// <summary>How long a request may be outside.</summary>
    internal TimeSpan Deadline => _parts.Deadline;

    /// <summary>The accelerators.</summary>
    internal AcceleratorPool Accelerators => _parts.Accelerators;

    public bool IsOverloaded(out TimeSpan retryAfter)
    {
        bool full = Volatile.Read(ref _inside) >= _limit;
        retryAfter = full ? RetryAfter : TimeSpan.Zero;
        return full;
    }

    public async Task<Prediction> PredictAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        Demand(inputs);
        if (Interlocked.Increment(ref _inside) > _limit)
        {
            Interlocked.Decrement(ref _inside);
            throw Overloaded();
        }
        try
        {
            return await RunAsync(inputs, timeout, cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    private async Task<Prediction> RunAsync(IReadOnlyList<Tensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        long start = _time.GetTimestamp();
        var front = new FrontCall(_parts.Runner, inputs);
        RunTimes before = await _front.RunAsync(front, timeout, cancellation);
        long leaves = _time.GetTimestamp();
        using var tail = new TailCall(_parts.Runner, await OutsideAsync(front.Crossing, start, timeout, cancellation), _parts.Mapping);
        TimeSpan away = _time.GetElapsedTime(leaves);
        RunTimes after = await _tail.RunAsync(tail, Left(start, timeout), cancellation);
        return new Prediction(tail.Outputs!, before.Queued + after.Queued, before.Computed + away + after.Computed);
    }

    private async Task<OrtTensor[]> OutsideAsync(OrtTensor[] crossing, long start, TimeSpan timeout, CancellationToken cancellation)
    {
        TimeSpan left = Left(start, timeout), wait = left == Timeout.InfiniteTimeSpan || left > _parts.Deadline ? _parts.Deadline : left;
        if (wait == TimeSpan.Zero)
        {
            PartitionedRunner.Erase(crossing);
            throw TooLate(null);
        }
        try
        {
            return await _parts.Runner.RunBackAsync(crossing, wait, cancellation);
        }
        catch (PartitioningException refusal)
        {
            if (refusal.Error == PartitioningError.AcceleratorOverloaded) throw Overloaded(refusal);
            if (refusal.Error == PartitioningError.AnswerNotFinite) throw new ServingException(ServingError.EngineFailed, "The model gives NaN or an infinity for this input, of which no answer is made.", refusal);
            if (wait == left && refusal.Error == PartitioningError.AcceleratorTimeout) throw TooLate(refusal);
            _logger.AcceleratorsFailed(_parts.Model, refusal.Error);
            // Which accelerator did what is the operator's to know: it is in the log.
            throw new ServingException(ServingError.AcceleratorFailed, $"No accelerator of model '{_parts.Model}' gave an answer that could be used; try again in {RetryAfter.TotalSeconds:0} s.", refusal) { RetryAfter = RetryAfter };
        }
        catch (OperationCanceledException gone) when (cancellation.IsCancellationRequested)
        {
            throw new ServingException(ServingError.Cancelled, "The caller gave up.", gone);
        }
        catch (ObjectDisposedException ended)
        {
            throw new ServingException(ServingError.Stopping, "The model is being released; ask again.", ended);
        }
        catch (ArgumentException misfit)
        {
            throw PartCall.Misfit(misfit);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new ServingException(ServingError.EngineFailed, $"ONNX Runtime could not run the model: {exception.Message}", exception);
        }
    }

    private TimeSpan Left(long start, TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) return timeout;
        TimeSpan left = timeout - _time.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private void Demand(IReadOnlyList<Tensor> inputs)
    {
        if (inputs.Count != Inputs.Count) throw new ArgumentException($"The model has {Inputs.Count} inputs, {inputs.Count} tensors are given.", nameof(inputs));
        for (int i = 0; i < inputs.Count; i++)
        {
            if (Inputs[i].Mismatch(inputs[i].Type, inputs[i].Shape) is { } problem)
                throw new ServingException(Inputs[i].Type == inputs[i].Type ? ServingError.WrongShape : ServingError.WrongType, $"The input {problem}");
            if (Inputs[i].Shape is [< 0, ..]) DemandItems(inputs[i].Shape[0]);
        }
    }

    // More would keep an accelerator for as long as one that stalls: its connection would end, and with it everybody's requests.
    private void DemandItems(long items)
    {
        if (items < 1) throw new ServingException(ServingError.WrongShape, "The request has no item; send at least one.");
        if (items > _parts.MaximumItems)
            throw new ServingException(ServingError.BatchTooLarge, $"The request has {items} items; model '{_parts.Model}' takes {_parts.MaximumItems} at once: send fewer.");
    }

    private ServingException Overloaded(Exception? inner = null) =>
        new(ServingError.Overloaded, $"Model '{_parts.Model}' has as many requests under way as it takes; try again in {RetryAfter.TotalSeconds:0} s.", inner) { RetryAfter = RetryAfter };

    private static ServingException TooLate(Exception? inner) =>
        new(ServingError.DeadlineExceeded, "The prediction did not end before its deadline; ask for more time, or send less at once.", inner);
}
