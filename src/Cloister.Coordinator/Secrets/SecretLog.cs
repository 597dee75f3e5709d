using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Secrets;

/// <summary>Ids 2200-2249 are this folder's; an id is never reused; a secret's value is never a parameter.</summary>
internal static partial class SecretLog
{
    [LoggerMessage(2200, LogLevel.Information, "Secret {Name} set by user {User}")]
    public static partial void SecretSet(this ILogger logger, string name, string user);

    [LoggerMessage(2201, LogLevel.Information, "{Count} secret(s) read by user {User}")]
    public static partial void SecretsRead(this ILogger logger, int count, string user);
}
