using Cloister.Attestation;
using Cloister.Protocol.Trust;

namespace Cloister.Client;

/// <summary>A workload that proved, over one TLS key, to be of the wanted type in the verified deployment.</summary>
/// <param name="Address">Host and port it was reached at.</param>
/// <param name="Workload">What was verified of it: type, instance, key, measurement.</param>
/// <param name="Certificate">The certificate of its TLS connection, DER.</param>
/// <param name="Result">Every check that was made, in order; all passed.</param>
public sealed record AttestedWorkload(string Address, VerifiedWorkload Workload, ReadOnlyMemory<byte> Certificate, AttestationResult Result)
{
    /// <summary>Whether the evidence is simulated: then nothing is proven against the host.</summary>
    public bool Simulated => Workload.Simulated;
}
