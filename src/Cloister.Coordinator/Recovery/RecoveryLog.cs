using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Recovery;

/// <summary>Ids 2450-2499 are this folder's; an id is never reused; a secret is never a parameter.</summary>
internal static partial class RecoveryLog
{
    [LoggerMessage(2450, LogLevel.Information, "Recovery secret taken; {Remaining} more needed")]
    public static partial void SecretTaken(this ILogger logger, int remaining);

    [LoggerMessage(2451, LogLevel.Warning, "State RECOVERED by the holders of {Holders}; its key is sealed to this platform again")]
    public static partial void Recovered(this ILogger logger, string holders);

    [LoggerMessage(2452, LogLevel.Warning, "No recovery data: the manifest names no recovery keys, or it is lost; secrets can only be tried together")]
    public static partial void RecoveryDataLost(this ILogger logger);

    [LoggerMessage(2453, LogLevel.Warning, "The recovery data in clear was missing or changed, and was written anew from the sealed state")]
    public static partial void RecoveryDataRepaired(this ILogger logger);

    [LoggerMessage(2454, LogLevel.Warning, "The recovery secrets do not open the state; the collection starts anew")]
    public static partial void SecretsDoNotOpen(this ILogger logger);

    [LoggerMessage(2455, LogLevel.Warning, "OE_SIMULATION: a new manifest begins anew; the state that could not be opened was put aside as *{Suffix}")]
    public static partial void StatePutAside(this ILogger logger, string suffix);

    [LoggerMessage(2456, LogLevel.Error, "The state is recovered, but the line about it could not be added to the update log")]
    public static partial void LogLineLost(this ILogger logger, Exception exception);

    [LoggerMessage(2457, LogLevel.Warning, "The manifest names recovery keys and wants nothing kept on disk: there will be nothing to recover")]
    public static partial void NothingToRecover(this ILogger logger);
}
