namespace Cloister.Attestation;

/// <summary>What the attester acts as. Evidence made in one role is refused in another.</summary>
public enum AttesterRole
{
    /// <summary>The coordinator of a deployment; label <c>cloister/coordinator/v1</c>.</summary>
    Coordinator = 1,

    /// <summary>A workload that a coordinator activates; label <c>cloister/workload/v1</c>.</summary>
    Workload = 2,

    /// <summary>A helper that computes for a workload; label <c>cloister/accelerator/v1</c>.</summary>
    Accelerator = 3,
}
