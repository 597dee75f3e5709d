using Cloister.Coordinator.Stores;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Activation;

/// <summary>Ids 2300-2349 are this folder's; an id is never reused; a secret is never a parameter.</summary>
internal static partial class ActivationLog
{
    [LoggerMessage(2300, LogLevel.Information, "Workload type {Type} with UUID {Uuid} activated (renewal: {Renewal})")]
    public static partial void Activated(this ILogger logger, string type, Guid uuid, bool renewal);

    [LoggerMessage(2301, LogLevel.Warning, "Activation refused, {Error}: {Reason}")]
    public static partial void ActivationRefused(this ILogger logger, CoordinatorError error, string reason);

    [LoggerMessage(2302, LogLevel.Warning, "SIMULATED evidence accepted from workload type {Type} with UUID {Uuid}: it proves nothing against the host")]
    public static partial void SimulatedWorkload(this ILogger logger, string type, Guid uuid);

    [LoggerMessage(2303, LogLevel.Warning, "SIMULATION: marble type {Type} with UUID {Uuid} activated on MarbleRun's wire without any proof")]
    public static partial void UnverifiedMarbleActivated(this ILogger logger, string type, Guid uuid);

    [LoggerMessage(2305, LogLevel.Information, "Marble type {Type} with UUID {Uuid} activated on MarbleRun's wire by its SGX quote")]
    public static partial void MarbleActivated(this ILogger logger, string type, Guid uuid);

    [LoggerMessage(2306, LogLevel.Information, "Attestation key {Name} is in the TPM whose endorsement certificate is {Certificate}")]
    public static partial void KeyActivated(this ILogger logger, string name, string certificate);

    [LoggerMessage(2304, LogLevel.Error, "The state could not be written: {Error}")]
    public static partial void StorageFailed(this ILogger logger, StoreError error, Exception exception);
}
