using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Pooling;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// Runs one BackNet on accelerators that nobody trusts. Requests wait in a bounded queue, are joined into batches where the model allows
/// it, sent over connections that are kept and made again, and every answer is checked before anybody sees it. What a fault can do to an
/// answer is found; what a lie can do is found with the chance that <see cref="AcceleratorPoolOptions.SpotChecks"/> gives.
/// </summary>
public sealed class AcceleratorPool : IAsyncDisposable
{
    private readonly PoolCore _core;

    private AcceleratorPool(PoolCore core) => _core = core;

    /// <summary>What is run; the pool does not dispose of it.</summary>
    public BackNet BackNet => _core.BackNet;

    /// <summary>Where each accelerator stands.</summary>
    public IReadOnlyList<AcceleratorState> Accelerators => [.. _core.Links.Select(link => link.State)];

    /// <summary>What was done so far.</summary>
    public AcceleratorStatistics Statistics => _core.Statistics();

    /// <summary>Begins to connect, in the background.</summary>
    /// <param name="backNet">What is run.</param>
    /// <param name="addresses">One accelerator or more; none is allowed with <see cref="AcceleratorFallback.Inside"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="logger">Told of connections and faults, never of a tensor's values.</param>
    /// <exception cref="ArgumentException">There is no address, or an option is out of its range.</exception>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.PinMissing"/> or <see cref="PartitioningError.AcceleratorNamedTwice"/>.</exception>
    public static AcceleratorPool Start(BackNet backNet, IReadOnlyList<AcceleratorAddress> addresses, AcceleratorPoolOptions options, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumQueued, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Depth, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumBatch, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaximumRetries, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumInside, 1, nameof(options));
        if (options.SpotChecks is not (>= 0 and <= 1) || !(options.SpotTolerance >= 0))
            throw new ArgumentOutOfRangeException(nameof(options), $"The share of spot checks is {options.SpotChecks}, which is not 0 to 1, or their tolerance {options.SpotTolerance} is negative.");
        foreach (TimeSpan time in new[] { options.StallTimeout, options.LoadTimeout, options.FirstBackoff, options.MaximumBackoff })
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, nameof(options));
        if (addresses.Count == 0 && options.Fallback != AcceleratorFallback.Inside)
            throw new ArgumentException("Without an accelerator the BackNet must be allowed to run inside.", nameof(addresses));
        AcceleratorAddress.Demand(addresses);
        return new AcceleratorPool(new PoolCore(backNet, addresses, options, logger));
    }

    /// <summary>Runs the BackNet; the caller disposes of the outputs, which are in the order of its <see cref="BackNet.Outputs"/>.</summary>
    /// <param name="inputs">One tensor an input, in the order of <see cref="BackNet.Inputs"/>; they must stay as they are until the task ends.</param>
    /// <param name="timeout">How long it may take, the wait for a place and for a connection included; a run inside that has begun is waited for.</param>
    /// <param name="cancellation">Gives up; the accelerator computes on.</param>
    /// <exception cref="ArgumentException">An input does not fit the BackNet.</exception>
    /// <exception cref="OnnxRuntimeException">The BackNet does not run with these inputs, inside too.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed of, before or meanwhile.</exception>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.AcceleratorOverloaded"/>, <see cref="PartitioningError.AcceleratorTimeout"/>,
    /// <see cref="PartitioningError.AcceleratorUnavailable"/>, <see cref="PartitioningError.AcceleratorFaulty"/> or
    /// <see cref="PartitioningError.AnswerNotFinite"/>.
    /// </exception>
    public async Task<OrtTensor[]> RunAsync(IReadOnlyList<OrtTensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        if (timeout != Timeout.InfiniteTimeSpan) ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        var request = new PoolRequest(inputs, BackNet.Rows(inputs), _core.Now);
        cancellation.ThrowIfCancellationRequested();
        _core.Counters.Came();
        try
        {
            // Whatever can throw comes before the inputs are read by anybody.
            await using ITimer deadline = _core.Options.TimeProvider.CreateTimer(_ => GiveUp(request, TimedOut(request, timeout)), null, timeout, Timeout.InfiniteTimeSpan);
            await using CancellationTokenRegistration cancelling = cancellation.UnsafeRegister(_ => GiveUp(request, new OperationCanceledException(cancellation)), null);
            _core.Admit(request);
            return await request.Done;
        }
        catch
        {
            _core.Counters.Refused();
            throw;
        }
    }

    /// <summary>Completes when an accelerator is ready, or at once where the BackNet may run inside.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AcceleratorUnavailable"/>: none ever will be.</exception>
    /// <exception cref="ObjectDisposedException">The pool was disposed of, before or meanwhile.</exception>
    public Task ReadyAsync(CancellationToken cancellation) => _core.ReadyAsync(cancellation);

    /// <summary>Closes the connections; requests that wait end with <see cref="ObjectDisposedException"/>. Runs inside finish first.</summary>
    public ValueTask DisposeAsync() => _core.DisposeAsync();

    private void GiveUp(PoolRequest request, Exception why)
    {
        request.Fail(why); // first: whoever gives it a place after that sees that it ended
        _core.Queue.Remove(request);
    }

    private PartitioningException TimedOut(PoolRequest request, TimeSpan timeout) => new(PartitioningError.AcceleratorTimeout,
        $"There was no answer within {timeout}: {request.Whereabouts}. {_core.Describe()}.");
}
