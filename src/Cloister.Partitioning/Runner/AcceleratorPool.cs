using Cloister.Onnx.Runtime;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// Runs one BackNet on accelerators that nobody trusts. Requests wait in a bounded queue, are joined into batches where the model allows
/// it, sent over connections that are kept and made again, and every answer is checked before anybody sees it.
/// </summary>
public sealed class AcceleratorPool : IAsyncDisposable
{
    private AcceleratorPool(BackNet backNet) => BackNet = backNet;

    /// <summary>What is run; the pool does not dispose of it.</summary>
    public BackNet BackNet { get; }

    /// <summary>Begins to connect, in the background.</summary>
    /// <param name="backNet">What is run.</param>
    /// <param name="addresses">One accelerator or more; none is allowed with <see cref="AcceleratorFallback.Inside"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="logger">Told of connections and faults, never of a tensor's values.</param>
    public static AcceleratorPool Start(BackNet backNet, IReadOnlyList<AcceleratorAddress> addresses, AcceleratorPoolOptions options, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        return new AcceleratorPool(backNet);
    }

    /// <summary>Runs the BackNet; the caller disposes of the outputs, which are in the order of its <see cref="BackNet.Outputs"/>.</summary>
    /// <param name="inputs">One tensor an input, in the order of <see cref="BackNet.Inputs"/>; they must stay as they are until the task ends.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancellation">Gives up; the accelerator computes on.</param>
    /// <exception cref="ArgumentException">An input does not fit the BackNet.</exception>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.AcceleratorOverloaded"/>, <see cref="PartitioningError.AcceleratorTimeout"/>,
    /// <see cref="PartitioningError.AcceleratorUnavailable"/> or <see cref="PartitioningError.AcceleratorFaulty"/>.
    /// </exception>
    public Task<OrtTensor[]> RunAsync(IReadOnlyList<OrtTensor> inputs, TimeSpan timeout, CancellationToken cancellation)
    {
        BackNet.Rows(inputs);
        return Task.Run(() => BackNet.RunInside(inputs), cancellation).WaitAsync(timeout, cancellation);
    }

    /// <summary>Completes when an accelerator is ready, or at once where the BackNet may run inside.</summary>
    public Task ReadyAsync(CancellationToken cancellation) => Task.FromResult(BackNet).WaitAsync(cancellation);

    /// <summary>Closes the connections; requests that wait are refused.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
