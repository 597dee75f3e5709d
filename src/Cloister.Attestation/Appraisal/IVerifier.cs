using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What a verifier found.</summary>
/// <param name="Checks">Every check of its plan, in order.</param>
/// <param name="Claims">What the evidence says; null unless every check passed.</param>
public sealed record Proof(ImmutableArray<Check> Checks, Claims? Claims)
{
    /// <summary>What the evidence says as far as it could be read, proven or not: to explain a refusal, never to decide by.</summary>
    public Claims? Stated { get; init; }

    /// <summary>Judges what was proven. For one piece of evidence by itself; whole sets go through <see cref="VerifierRegistry"/>.</summary>
    /// <param name="appraiser">Judges claims of this kind.</param>
    /// <param name="policy">What is accepted.</param>
    /// <param name="time">When dates in the claims must hold.</param>
    /// <returns>Every check, in order: those of the proof, then those of the judgement, not reached if nothing was proven.</returns>
    public AttestationResult Judge(IAppraiser appraiser, PackagePolicy policy, VerificationTime time) => Claims is { } claims
        ? new AttestationResult([.. Checks, .. appraiser.Judge(claims, policy, time)], [claims], claims.Simulated)
        : new AttestationResult([.. Checks, .. CheckList.NotReached(appraiser.Plan)], [], Stated?.Simulated ?? false);
}

/// <summary>Proves evidence of one kind: genuine, and fresh for the given report data. A pure function; it judges no claim.</summary>
public interface IVerifier
{
    /// <summary>The kind of TEE.</summary>
    TeeKind Kind { get; }

    /// <summary>The checks it makes, in order.</summary>
    ImmutableArray<PlannedCheck> Plan { get; }

    /// <summary>Proves evidence.</summary>
    /// <param name="evidence">Hostile evidence of <see cref="Kind"/>.</param>
    /// <param name="expectedReportData">What the freshly signed field must be: 64 bytes, 32 for a GPU.</param>
    /// <param name="endorsements">Unchecked endorsements.</param>
    /// <param name="anchors">Roots of trust.</param>
    /// <param name="time">When certificates must be valid.</param>
    Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time);
}
