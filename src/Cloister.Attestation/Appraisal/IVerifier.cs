using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What a verifier found.</summary>
/// <param name="Checks">Every check of its plan, in order.</param>
/// <param name="Claims">What the evidence says; null unless every check passed.</param>
public sealed record Proof(ImmutableArray<Check> Checks, Claims? Claims)
{
    /// <summary>What the evidence says as far as it could be read, proven or not: to explain a refusal, never to decide by.</summary>
    public Claims? Stated { get; init; }
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
