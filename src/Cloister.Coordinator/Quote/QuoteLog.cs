using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Quote;

/// <summary>Ids 2250-2299 are this folder's; an id is never reused.</summary>
internal static partial class QuoteLog
{
    [LoggerMessage(2250, LogLevel.Error, "The platform produced no evidence")]
    public static partial void EvidenceFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2251, LogLevel.Information, "The TPM did not open a credential: {Reason}")]
    public static partial void CredentialNotOpened(this ILogger logger, string reason);
}
