using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.SignQuote;

/// <summary>Ids 2575-2599 are this folder's; an id is never reused.</summary>
internal static partial class SignQuoteLog
{
    [LoggerMessage(2575, LogLevel.Information, "Quote signed; its platform is {Status}")]
    public static partial void QuoteSigned(this ILogger logger, string status);
}
