using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Callers;

/// <summary>Ids 4250-4299 are this folder's. What a caller sent is never a parameter.</summary>
internal static partial class CallersLog
{
    [LoggerMessage(4250, LogLevel.Information, "Rights replaced: {Callers} callers, {Issuers} token issuers, {Anonymous} models open to anybody")]
    public static partial void RightsReplaced(this ILogger logger, int callers, int issuers, int anonymous);

    [LoggerMessage(4251, LogLevel.Information, "Credential of {Peer} refused (serving error {Error}): {Reason} {Unsaid} more were refused since the last line")]
    public static partial void CredentialRefused(this ILogger logger, System.Net.IPAddress? peer, int error, string reason, long unsaid);

    [LoggerMessage(4252, LogLevel.Information, "Keys of token issuer '{Issuer}' fetched: {Keys}")]
    public static partial void KeysFetched(this ILogger logger, string issuer, int keys);

    [LoggerMessage(4253, LogLevel.Warning, "Keys of token issuer '{Issuer}' were not fetched: {Reason}")]
    public static partial void KeysNotFetched(this ILogger logger, string issuer, string reason);
}
