using Cloister.Protocol.Manifest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Update;

/// <summary>Ids 2400-2449 are this folder's; an id is never reused; a secret's value is never a parameter.</summary>
internal static partial class ManifestUpdateLog
{
    [LoggerMessage(2400, LogLevel.Information, "User {User} raised the security versions of {Count} package(s); workloads have to be restarted to enforce it")]
    public static partial void PackagesRaised(this ILogger logger, string user, int count);

    [LoggerMessage(2401, LogLevel.Information, "User {User} agrees to manifest {Fingerprint}; {Missing} acknowledgement(s) missing")]
    public static partial void UpdateAgreed(this ILogger logger, string user, string fingerprint, int missing);

    [LoggerMessage(2402, LogLevel.Information, "Manifest {Fingerprint} in dialect {Dialect} replaced the one before it; {Withheld} secret(s) withheld until their owners acknowledge it; workloads have to be restarted")]
    public static partial void ManifestReplaced(this ILogger logger, string fingerprint, ManifestDialect dialect, int withheld);

    [LoggerMessage(2403, LogLevel.Information, "User {User} cancelled the pending update")]
    public static partial void UpdateCancelled(this ILogger logger, string user);

    [LoggerMessage(2404, LogLevel.Information, "User {User} acknowledged the manifest in force for secret {Name}")]
    public static partial void SecretAcknowledged(this ILogger logger, string name, string user);
}
