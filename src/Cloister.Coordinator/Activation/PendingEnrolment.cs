using Cloister.Attestation.Tpm;

namespace Cloister.Coordinator.Activation;

/// <summary>An activation of a key that was begun for one challenge, and for what: the roots are those of this type's package in this manifest.</summary>
internal sealed record PendingEnrolment(TpmActivation Activation, string Type, string Fingerprint) : IDisposable
{
    public void Dispose() => Activation.Dispose();
}
