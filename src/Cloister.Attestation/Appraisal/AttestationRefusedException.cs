namespace Cloister.Attestation;

/// <summary>Attestation was refused where the caller demanded acceptance.</summary>
public sealed class AttestationRefusedException : Exception
{
    /// <summary>Refused at a check.</summary>
    /// <param name="check">The first check that does not hold.</param>
    public AttestationRefusedException(Check check)
        : base($"Attestation refused ({(int)check.Refusal} {check.Refusal}) at {check.Id}, {check.Field}: {check.Reason}") => Check = check;

    /// <summary>The stable number of the reason.</summary>
    public Refusal Refusal => Check.Refusal;

    /// <summary>The first check that does not hold.</summary>
    public Check Check { get; }
}
