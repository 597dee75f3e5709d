using System.Collections.Immutable;
using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Sgx;

/// <summary>
/// Proves that a quote was made on genuine Intel hardware for the expected report data, and finds the state of its platform in
/// collateral that was given (<see cref="DcapCollateral"/>). It fetches nothing and judges no claim.
/// </summary>
public sealed class SgxVerifier : IVerifier
{
    private readonly DcapProver _prover;

    /// <summary>Makes a verifier.</summary>
    /// <param name="memory">What to remember between quotes, possibly shared with other verifiers; null for its own.</param>
    public SgxVerifier(DcapMemory? memory = null)
        : this(memory, false)
    {
    }

    private SgxVerifier(DcapMemory? memory, bool signatureOnly) => _prover = new DcapProver(TeeKind.Sgx, signatureOnly, memory ?? new DcapMemory());

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Sgx;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => _prover.Plan;

    /// <summary>
    /// A verifier that checks signatures up to Intel's root and nothing that collateral is needed for: not revocation, not the
    /// quoting enclave's identity, not the platform's state. Its claims say <see cref="TcbStatus.NotEvaluated"/>, which a policy must name.
    /// </summary>
    public static SgxVerifier SignatureOnly(DcapMemory? memory = null) => new(memory, true);

    /// <inheritdoc/>
    public Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time) =>
        _prover.Prove(evidence, expectedReportData, endorsements, anchors, time);
}
