using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>Judges proven claims of one kind against a policy. A pure function.</summary>
public interface IAppraiser
{
    /// <summary>The kind of TEE.</summary>
    TeeKind Kind { get; }

    /// <summary>The checks it makes, in order.</summary>
    ImmutableArray<PlannedCheck> Plan { get; }

    /// <summary>Judges claims.</summary>
    /// <param name="claims">Claims that a verifier proved.</param>
    /// <param name="policy">A policy for <see cref="Kind"/>; any other is refused.</param>
    /// <param name="time">When dates in the claims must hold.</param>
    /// <returns>Every check of the plan, in order.</returns>
    ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time);
}
