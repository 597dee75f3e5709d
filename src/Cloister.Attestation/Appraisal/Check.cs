using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>One check of an attestation result.</summary>
/// <param name="Id">Its stable name, such as <c>binding.nonce</c>.</param>
/// <param name="Verdict">What became of it.</param>
/// <param name="Field">The field it looked at, such as <c>evidence[0].report.signature</c>.</param>
/// <param name="Value">The field's value, where it can be shown.</param>
/// <param name="Expected">What was asked of it, where it can be shown.</param>
/// <param name="Refusal">The stable number if it failed, otherwise <see cref="Refusal.None"/>.</param>
/// <param name="Reason">Why it failed, for people; empty otherwise.</param>
public sealed record Check(string Id, Verdict Verdict, string Field, string? Value, string? Expected, Refusal Refusal, string Reason)
{
    /// <summary>The alternatives that this check chose from, each with its own checks; empty for a plain check.</summary>
    public ImmutableArray<CheckBranch> Branches { get; init; } = [];

    /// <summary>A check that holds.</summary>
    public static Check Pass(string id, string field, string? value = null, string? expected = null) =>
        new(id, Verdict.Passed, field, value, expected, Refusal.None, "");

    /// <summary>A check that does not hold.</summary>
    public static Check Fail(string id, string field, Refusal refusal, string reason, string? value = null, string? expected = null) =>
        new(id, Verdict.Failed, field, value, expected, refusal == Refusal.None ? Refusal.NoOutcome : refusal, reason);

    /// <summary>A check that was not looked at.</summary>
    public static Check NotReached(string id, string field) => new(id, Verdict.NotReached, field, null, null, Refusal.None, "");
}

/// <summary>One alternative of a check.</summary>
/// <param name="Name">Which alternative, such as <c>anyOf[1]</c>.</param>
/// <param name="Checks">Its checks, in order.</param>
public sealed record CheckBranch(string Name, ImmutableArray<Check> Checks)
{
    /// <summary>Whether every check of the alternative holds.</summary>
    public bool Passed => Checks.Length > 0 && Checks.All(check => check.Verdict == Verdict.Passed);
}
