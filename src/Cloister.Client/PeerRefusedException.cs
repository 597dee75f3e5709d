using Cloister.Attestation;

namespace Cloister.Client;

/// <summary>A peer that did not prove to be whom the client wants. Nothing was sent to it beyond nonces.</summary>
public sealed class PeerRefusedException : Exception
{
    internal PeerRefusedException(string peer, AttestationResult result)
        : this(peer, result, result.Refused ?? throw new ArgumentException("The result is not a refusal.", nameof(result)))
    {
    }

    private PeerRefusedException(string peer, AttestationResult result, Check check)
        : base($"{peer} is refused ({(int)check.Refusal} {check.Refusal}) at {check.Id}: {check.Reason}.") => (Result, Check) = (result, check);

    /// <summary>Every check that was made, in order, with those that were not reached.</summary>
    public AttestationResult Result { get; }

    /// <summary>The first check that failed.</summary>
    public Check Check { get; }

    /// <summary>The stable number of the first failure.</summary>
    public Refusal Refusal => Check.Refusal;
}
