using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner;

/// <summary>Log lines of accelerators and of the pools that use them, ids 8000-8049. No line holds a value of a tensor.</summary>
internal static partial class AcceleratorLog
{
    [LoggerMessage(8000, LogLevel.Information, "An accelerator listens at {Address}")]
    public static partial void HostListens(this ILogger logger, AcceleratorAddress address);

    [LoggerMessage(8001, LogLevel.Information, "Connection {Connection}: a workload is here")]
    public static partial void PeerConnected(this ILogger logger, long connection);

    [LoggerMessage(8002, LogLevel.Information, "Connection {Connection}: ended ({Reason})")]
    public static partial void PeerEnded(this ILogger logger, long connection, string reason);

    [LoggerMessage(8003, LogLevel.Warning, "Connection {Connection}: {Reason}; closed")]
    public static partial void PeerRefused(this ILogger logger, long connection, string reason);

    [LoggerMessage(8004, LogLevel.Warning, "A connection was closed at once: {Maximum} are open already; {Times} so far (told at 1, 2, 4, 8, ...)")]
    public static partial void TooManyPeers(this ILogger logger, int maximum, long times);

    [LoggerMessage(8005, LogLevel.Information, "Connection {Connection}: model {Digest}, {Bytes} bytes, is ready")]
    public static partial void ModelLoaded(this ILogger logger, long connection, string digest, long bytes);

    [LoggerMessage(8006, LogLevel.Information, "Model {Digest} made room for another")]
    public static partial void ModelEvicted(this ILogger logger, string digest);

    [LoggerMessage(8007, LogLevel.Warning, "Connection {Connection}: run refused: {Reason}; {Times} so far (told at 1, 2, 4, 8, ...)")]
    public static partial void RunRefused(this ILogger logger, long connection, string reason, long times);

    [LoggerMessage(8008, LogLevel.Error, "Connection {Connection}: failed")]
    public static partial void PeerFailed(this ILogger logger, long connection, Exception exception);

    [LoggerMessage(8009, LogLevel.Warning, "A connection could not be accepted: {Reason}; {Times} so far (told at 1, 2, 4, 8, ...)")]
    public static partial void AcceptFailed(this ILogger logger, string reason, long times);

    [LoggerMessage(8020, LogLevel.Information, "Accelerator {Address} is ready for model {Digest}; the model was {Known}")]
    public static partial void AcceleratorReady(this ILogger logger, AcceleratorAddress address, string digest, string known);

    [LoggerMessage(8021, LogLevel.Warning, "Accelerator {Address}: {Fault}: {Reason}; trying again in {Milliseconds} ms, {Failed} batch(es) go elsewhere")]
    public static partial void AcceleratorFailed(this ILogger logger, AcceleratorAddress address, AcceleratorFault fault, string reason, long milliseconds, int failed);

    [LoggerMessage(8022, LogLevel.Critical, "Accelerator {Address} gave a wrong answer ({Reason}): it is not asked again. {Unchecked} answers of it were not computed again before")]
    public static partial void AcceleratorLied(this ILogger logger, AcceleratorAddress address, string reason, long @unchecked);

    [LoggerMessage(8023, LogLevel.Error, "Accelerator {Address}: the connection ended by a mistake in this program")]
    public static partial void LinkBroke(this ILogger logger, AcceleratorAddress address, Exception exception);

    [LoggerMessage(8024, LogLevel.Information, "Sending model {Digest} to accelerator {Address}: {Sent} of {Bytes} bytes")]
    public static partial void ModelProgress(this ILogger logger, string digest, AcceleratorAddress address, long sent, long bytes);
}
