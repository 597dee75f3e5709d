using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm;

/// <summary>What a verifier needs to start an activation (<see cref="TpmActivation"/>); hostile until it ends.</summary>
/// <param name="Certificate">The endorsement key's certificate, DER.</param>
/// <param name="Intermediates">Intermediate certificates, DER.</param>
/// <param name="EndorsementKey">TPMT_PUBLIC.</param>
/// <param name="AttestationKey">TPMT_PUBLIC.</param>
public sealed record TpmEndorsement(
    ReadOnlyMemory<byte> Certificate, ImmutableArray<ReadOnlyMemory<byte>> Intermediates, ReadOnlyMemory<byte> EndorsementKey, ReadOnlyMemory<byte> AttestationKey);
