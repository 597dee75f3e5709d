using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>A check that a procedure will make, known before it starts.</summary>
/// <param name="Id">Its stable name.</param>
/// <param name="Field">The field it looks at.</param>
public readonly record struct PlannedCheck(string Id, string Field);

/// <summary>
/// Runs a planned list of checks in order. The first failure ends it; what was planned behind it is listed as not reached,
/// so that a result always shows the whole procedure.
/// </summary>
public sealed class CheckList
{
    private readonly ImmutableArray<PlannedCheck> _plan;
    private readonly ImmutableArray<Check>.Builder _done;

    /// <summary>Starts a list.</summary>
    /// <param name="plan">All checks, in order.</param>
    public CheckList(ImmutableArray<PlannedCheck> plan)
    {
        _plan = plan;
        _done = ImmutableArray.CreateBuilder<Check>(plan.Length);
    }

    /// <summary>Whether a check failed already.</summary>
    public bool Failed { get; private set; }

    /// <summary>Records the next planned check. Returns whether the procedure goes on.</summary>
    /// <param name="id">The planned check's name; a name out of turn is a mistake of the caller.</param>
    /// <param name="holds">Whether it holds.</param>
    /// <param name="refusal">The number if it does not.</param>
    /// <param name="reason">The reason if it does not.</param>
    /// <param name="value">The field's value.</param>
    /// <param name="expected">What was asked of it.</param>
    public bool Next(string id, bool holds, Refusal refusal, string reason, string? value = null, string? expected = null) => holds
        ? Pass(id, value, expected)
        : Fail(id, refusal, reason, value, expected);

    /// <summary>Records that the next planned check holds.</summary>
    public bool Pass(string id, string? value = null, string? expected = null)
    {
        _done.Add(Check.Pass(id, FieldOf(id), value, expected));
        return true;
    }

    /// <summary>Records that the next planned check does not hold, and ends the procedure.</summary>
    public bool Fail(string id, Refusal refusal, string reason, string? value = null, string? expected = null)
    {
        _done.Add(Check.Fail(id, FieldOf(id), refusal, reason, value, expected));
        Failed = true;
        return false;
    }

    /// <summary>All checks, in order: those made, then those not reached.</summary>
    public ImmutableArray<Check> Finish()
    {
        foreach (PlannedCheck planned in _plan.AsSpan()[_done.Count..])
            _done.Add(Check.NotReached(planned.Id, planned.Field));
        return _done.ToImmutable();
    }

    /// <summary>The checks of a plan that nobody started.</summary>
    public static ImmutableArray<Check> NotReached(ImmutableArray<PlannedCheck> plan) => new CheckList(plan).Finish();

    private string FieldOf(string id)
    {
        if (Failed) throw new InvalidOperationException($"Check '{id}' follows a failed one.");
        if (_done.Count >= _plan.Length || _plan[_done.Count].Id != id) throw new InvalidOperationException($"Check '{id}' is out of turn.");
        return _plan[_done.Count].Field;
    }
}
