using Cloister.Attestation;

namespace Cloister.Workload;

/// <summary>Where a workload stands on its way to being activated.</summary>
public enum WorkloadPhase
{
    /// <summary>Asking the coordinator for a challenge.</summary>
    Contacting = 1,

    /// <summary>The coordinator cannot be reached, or is not ready; the workload tries again.</summary>
    CoordinatorUnavailable = 2,

    /// <summary>The coordinator proved to be the one the policy wants.</summary>
    CoordinatorVerified = 3,

    /// <summary>Evidence was accepted, but secrets are not yet there; the workload tries again.</summary>
    AwaitingSecrets = 4,

    /// <summary>Certificate, keys and files are here and were checked.</summary>
    Activated = 5,
}

/// <summary>One step of an activation, for logs and people.</summary>
/// <param name="Phase">What stage this is.</param>
/// <param name="Message">A sentence that says what happens and, where something is waited for, for whom.</param>
public sealed record WorkloadState(WorkloadPhase Phase, string Message)
{
    /// <summary>With <see cref="WorkloadPhase.AwaitingSecrets"/>: the secrets' names.</summary>
    public IReadOnlyList<string> AwaitedSecrets { get; init; } = [];

    /// <summary>When the workload tries again, where it does.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>With <see cref="WorkloadPhase.CoordinatorVerified"/>: every check of the coordinator, in order.</summary>
    public AttestationResult? Coordinator { get; init; }
}
