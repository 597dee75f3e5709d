using System.Collections.Immutable;
using Cloister.Attestation;

namespace Cloister.Cli.Attest.Cases;

/// <summary>What came out of a case.</summary>
/// <param name="Checks">Proof, then judgement.</param>
/// <param name="Stated">What the evidence says as far as it could be read; null if nothing could, or the kind has no claims.</param>
internal sealed record CaseOutcome(ImmutableArray<Check> Checks, Claims? Stated)
{
    public bool Ok => Checks.Length > 0 && Checks.All(check => check.Verdict == Verdict.Passed);

    public Check? Failed => Checks.FirstOrDefault(check => check.Verdict == Verdict.Failed);

    public string? Field(string name) => Stated?.Fields.GetValueOrDefault(name);
}
