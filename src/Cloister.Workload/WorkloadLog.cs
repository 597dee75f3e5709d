using Microsoft.Extensions.Logging;

namespace Cloister.Workload;

/// <summary>Ids 3000-3299 are this room's; an id is never reused; a secret is never a parameter.</summary>
internal static partial class WorkloadLog
{
    [LoggerMessage(3000, LogLevel.Information, "Workload '{Type}' ({Uuid}) asks {Coordinator} for activation")]
    public static partial void Activating(this ILogger logger, string type, Guid uuid, Uri coordinator);

    [LoggerMessage(3001, LogLevel.Information, "Coordinator at {Coordinator} verified: manifest {Fingerprint}, simulated {Simulated}")]
    public static partial void CoordinatorVerified(this ILogger logger, Uri coordinator, string fingerprint, bool simulated);

    [LoggerMessage(3002, LogLevel.Warning, "{Reason} Trying again in {Delay}")]
    public static partial void CoordinatorUnavailable(this ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(3003, LogLevel.Information, "{Reason} Asking again in {Delay}")]
    public static partial void AwaitingSecrets(this ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(3004, LogLevel.Information, "Workload '{Type}' ({Uuid}) activated under manifest {Fingerprint}; certificate valid until {NotAfter}")]
    public static partial void Activated(this ILogger logger, string type, Guid uuid, string fingerprint, DateTimeOffset notAfter);

    [LoggerMessage(3005, LogLevel.Warning, "SIMULATED evidence: it proves nothing against the host this workload '{Type}' runs on")]
    public static partial void SimulatedEvidence(this ILogger logger, string type);

    [LoggerMessage(3006, LogLevel.Information, "This TPM shows no endorsement key, and none is enrolled: {Reason}")]
    public static partial void NoEndorsement(this ILogger logger, string reason);

    [LoggerMessage(3100, LogLevel.Information, "Certificate of workload '{Type}' renewed; valid until {NotAfter}")]
    public static partial void Renewed(this ILogger logger, string type, DateTimeOffset notAfter);

    [LoggerMessage(3101, LogLevel.Warning, "Certificate of workload '{Type}' was not renewed: {Reason} Trying again in {Delay}; it expires at {NotAfter}")]
    public static partial void NotRenewed(this ILogger logger, string type, string reason, TimeSpan delay, DateTimeOffset notAfter);

    [LoggerMessage(3102, LogLevel.Information, "Workload '{Type}' follows manifest {Fingerprint}, with {Callers} callers")]
    public static partial void ManifestFollowed(this ILogger logger, string type, string fingerprint, int callers);

    [LoggerMessage(3103, LogLevel.Debug, "The coordinator did not say which manifest is in force: {Reason}")]
    public static partial void ManifestNotAsked(this ILogger logger, string reason);

    [LoggerMessage(3104, LogLevel.Information, "Another manifest is in force: {Fingerprint}")]
    public static partial void ManifestChanged(this ILogger logger, string fingerprint);

    [LoggerMessage(3150, LogLevel.Warning, "Serving SIMULATED evidence of workload '{Type}': it proves nothing against the host")]
    public static partial void ServingSimulatedEvidence(this ILogger logger, string type);

    [LoggerMessage(3151, LogLevel.Error, "Evidence could not be produced")]
    public static partial void EvidenceFailed(this ILogger logger, Exception exception);

    [LoggerMessage(3200, LogLevel.Information, "Command '{Command}' started as process {Process}")]
    public static partial void CommandStarted(this ILogger logger, string command, int process);

    [LoggerMessage(3201, LogLevel.Information, "Command '{Command}' ended with exit code {Code}")]
    public static partial void CommandEnded(this ILogger logger, string command, int code);
}
