using Microsoft.Extensions.Logging;

namespace Cloister.Platform.Simulation;

/// <summary>Log ids 1000-1049.</summary>
internal static partial class SimulatorLog
{
    [LoggerMessage(1000, LogLevel.Warning, "SIMULATED evidence is served at {Socket}: it proves nothing against this machine. Host key {HostKey}")]
    public static partial void Listening(this ILogger logger, string socket, string hostKey);

    [LoggerMessage(1001, LogLevel.Information, "Simulated evidence for process {ProcessId}, {Executable}, measurement {Measurement}")]
    public static partial void Granted(this ILogger logger, int processId, string executable, string measurement);

    [LoggerMessage(1002, LogLevel.Warning, "No evidence for process {ProcessId}: {Error}, {Reason}")]
    public static partial void Refused(this ILogger logger, int processId, PlatformError error, string reason);

    [LoggerMessage(1003, LogLevel.Warning, "A peer was dropped: {Reason}")]
    public static partial void Dropped(this ILogger logger, string reason);

    [LoggerMessage(1004, LogLevel.Information, "The simulator at {Socket} has ended")]
    public static partial void Ended(this ILogger logger, string socket);

    [LoggerMessage(1005, LogLevel.Error, "A peer could not be served")]
    public static partial void Failed(this ILogger logger, Exception exception);
}
