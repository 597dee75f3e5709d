using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Cloister.Attestation;

/// <summary>
/// The outcome of appraising evidence (RFC 9334 "Attestation Result"): every check in order. It is accepted only if every check
/// passed; a caller gets at the claims through <see cref="RequireAccepted"/> or <see cref="TryAccept"/> alone.
/// </summary>
public sealed record AttestationResult
{
    private readonly ImmutableArray<Claims> _claims;

    /// <summary>Makes a result.</summary>
    /// <param name="checks">Every check, in order.</param>
    /// <param name="claims">The claims of all evidence in the order of the set, the primary's first; empty if it was not proven.</param>
    /// <param name="simulated">Whether any evidence is simulated.</param>
    public AttestationResult(ImmutableArray<Check> checks, ImmutableArray<Claims> claims, bool simulated)
    {
        Checks = checks.IsDefault ? [] : checks;
        _claims = claims.IsDefault ? [] : claims;
        Simulated = simulated;
    }

    /// <summary>Every check, in order. Those of alternatives stand in <see cref="Check.Branches"/>.</summary>
    public ImmutableArray<Check> Checks { get; }

    /// <summary>Whether any evidence is simulated: nothing was proven against the machine it came from.</summary>
    public bool Simulated { get; }

    /// <summary>The first check that does not hold; null if all do.</summary>
    public Check? Refused
    {
        get
        {
            foreach (Check check in Checks)
                if (check.Verdict == Verdict.Failed) return check;
            foreach (Check check in Checks)
                if (check.Verdict != Verdict.Passed) return check with { Refusal = Refusal.NoOutcome, Reason = "was not looked at" };
            return _claims.IsEmpty ? Check.Fail("evidence.claims", "evidence", Refusal.NoOutcome, "nothing was proven") : null;
        }
    }

    /// <summary>The claims of every piece of evidence if all checks hold.</summary>
    /// <param name="accepted">The primary attester's claims.</param>
    /// <param name="refused">The first check that does not hold.</param>
    public bool TryAccept([NotNullWhen(true)] out Claims? accepted, [NotNullWhen(false)] out Check? refused)
    {
        refused = Refused;
        accepted = refused is null ? _claims[0] : null;
        return refused is null;
    }

    /// <summary>The primary attester's claims.</summary>
    /// <exception cref="AttestationRefusedException">A check does not hold.</exception>
    public Claims RequireAccepted() => TryAccept(out Claims? claims, out Check? refused) ? claims : throw new AttestationRefusedException(refused);

    /// <summary>The claims of every piece of evidence, the primary's first.</summary>
    /// <exception cref="AttestationRefusedException">A check does not hold.</exception>
    public ImmutableArray<Claims> RequireAcceptedAll() => Refused is { } refused ? throw new AttestationRefusedException(refused) : _claims;

    /// <summary>This result followed by further checks, for those who look at more than the evidence.</summary>
    public AttestationResult Append(ImmutableArray<Check> checks) => new(Checks.AddRange(checks), _claims, Simulated);

    /// <summary>This result behind a check that was made before it.</summary>
    public AttestationResult Prepend(Check check) => new(Checks.Insert(0, check), _claims, Simulated);

    /// <summary>The result as JSON (docs/formats/attestation-result.md). Claims are listed as stated, accepted or not.</summary>
    public string ToJson() => AttestationResultJson.Write(this, _claims);

    /// <summary>The result as an EAT attestation result, UTF-8 JSON without a signature (docs/formats/ear.md); <see cref="EarToken"/> signs it.</summary>
    /// <exception cref="ArgumentException">The nonce has a length that no nonce has.</exception>
    public byte[] ToEar(EarContext context) => EarJson.Write(this, _claims, context);
}
