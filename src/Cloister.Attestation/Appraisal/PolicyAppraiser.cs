using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>
/// Evaluates a policy over the claims of an evidence set. The policy of one TEE holds if it accepts at least one piece of that
/// kind; <see cref="AllOf"/> and <see cref="AnyOf"/> join as their names say; and every piece of evidence must be accepted by
/// some part that holds, so that nothing rides along unjudged.
/// </summary>
internal sealed class PolicyAppraiser(ImmutableDictionary<TeeKind, IAppraiser> appraisers)
{
    /// <summary>The checks of a judgement, ending with that all evidence was used.</summary>
    public ImmutableArray<Check> Judge(PackagePolicy policy, ImmutableArray<Claims> claims, VerificationTime time)
    {
        var used = new SortedSet<int>();
        ImmutableArray<Check> checks = JudgePart(policy, "policy", claims, time, used);
        if (!Holds(checks)) return checks.Add(Check.NotReached("policy.coverage", "evidence"));
        int unused = Enumerable.Range(0, claims.Length).FirstOrDefault(index => !used.Contains(index), -1);
        return checks.Add(unused < 0
            ? Check.Pass("policy.coverage", "evidence", $"{claims.Length}", $"{claims.Length}")
            : Check.Fail("policy.coverage", $"evidence[{unused}]", Refusal.EvidenceNotUsed, $"no part of the policy accepts this {claims[unused].Kind} evidence", $"{used.Count}", $"{claims.Length}"));
    }

    /// <summary>The checks of a judgement that was not reached.</summary>
    public ImmutableArray<Check> NotReached(PackagePolicy policy, string at) =>
        [.. PartNotReached(policy, at), Check.NotReached("policy.coverage", "evidence")];

    private ImmutableArray<Check> JudgePart(PackagePolicy policy, string at, ImmutableArray<Claims> claims, VerificationTime time, SortedSet<int> used) => policy switch
    {
        AllOf all => JudgeAll(all, at + ".AllOf", claims, time, used),
        AnyOf any => [JudgeAny(any, at + ".AnyOf", claims, time, used)],
        TeePolicy tee => JudgeTee(tee, $"{at}.{tee.Kind}", claims, time, used),
        _ => throw new ArgumentException($"{policy.GetType().Name} is not a policy that can be judged.", nameof(policy)),
    };

    private ImmutableArray<Check> JudgeAll(AllOf all, string at, ImmutableArray<Claims> claims, VerificationTime time, SortedSet<int> used)
    {
        if (all.Parts.IsEmpty) return [Check.Fail("policy.all-of", at, Refusal.PolicyEmpty, "an empty list accepts nothing")];
        var checks = ImmutableArray.CreateBuilder<Check>();
        bool holds = true;
        for (int i = 0; i < all.Parts.Length; i++)
        {
            string part = $"{at}[{i}]";
            ImmutableArray<Check> made = holds ? JudgePart(all.Parts[i], part, claims, time, used) : PartNotReached(all.Parts[i], part);
            holds &= Holds(made);
            checks.AddRange(made);
        }
        return checks.ToImmutable();
    }

    private Check JudgeAny(AnyOf any, string at, ImmutableArray<Claims> claims, VerificationTime time, SortedSet<int> used)
    {
        // Every alternative is looked at, also behind one that holds: together they decide which evidence was used.
        ImmutableArray<CheckBranch> branches = [.. any.Parts.Select((part, i) =>
        {
            var usedHere = new SortedSet<int>();
            var branch = new CheckBranch($"anyOf[{i}]", JudgePart(part, $"{at}[{i}]", claims, time, usedHere));
            if (branch.Passed) used.UnionWith(usedHere);
            return branch;
        })];
        return Choose("policy.any-of", at, branches, Refusal.NoAlternativeAccepted);
    }

    private ImmutableArray<Check> JudgeTee(TeePolicy tee, string at, ImmutableArray<Claims> claims, VerificationTime time, SortedSet<int> used)
    {
        if (!appraisers.TryGetValue(tee.Kind, out IAppraiser? appraiser))
            return [Check.Fail("policy.supported", at, Refusal.TeeNotSupported, $"this version cannot judge {tee.Kind}", $"{tee.Kind}")];
        int[] candidates = [.. Enumerable.Range(0, claims.Length).Where(index => claims[index].Kind == tee.Kind)];
        if (candidates.Length == 0)
            return [Check.Fail("policy.evidence", at, Refusal.EvidenceMissing, $"the policy asks for {tee.Kind} evidence and there is none"), .. CheckList.NotReached(At(appraiser.Plan, at))];

        ImmutableArray<CheckBranch> judged = [.. candidates.Select(index => new CheckBranch($"evidence[{index}]",
            [.. appraiser.Judge(claims[index], tee, time).Select(check => check with { Field = $"evidence[{index}].{check.Field}" })]))];
        for (int i = 0; i < candidates.Length; i++)
            if (judged[i].Passed) used.Add(candidates[i]);
        return judged.Length == 1
            ? [Check.Pass("policy.evidence", at, judged[0].Name), .. judged[0].Checks]
            : [Choose("policy.evidence", at, judged, Refusal.NoAlternativeAccepted)];
    }

    private static Check Choose(string id, string at, ImmutableArray<CheckBranch> branches, Refusal otherwise)
    {
        string[] passed = [.. branches.Where(branch => branch.Passed).Select(branch => branch.Name)];
        Check chosen = passed.Length > 0
            ? Check.Pass(id, at, string.Join(", ", passed))
            : Check.Fail(id, at, otherwise, branches.IsEmpty ? "an empty list accepts nothing" : string.Join("; ", branches.Select(Explain)));
        return chosen with { Branches = branches };
    }

    private static string Explain(CheckBranch branch) => branch.Checks.FirstOrDefault(check => check.Verdict == Verdict.Failed) is { } failed
        ? $"{branch.Name} refused it ({(int)failed.Refusal} {failed.Refusal}: {failed.Reason})"
        : $"{branch.Name} accepted nothing";

    private ImmutableArray<Check> PartNotReached(PackagePolicy policy, string at) => policy switch
    {
        AllOf all => [.. all.Parts.SelectMany((part, i) => PartNotReached(part, $"{at}.AllOf[{i}]"))],
        AnyOf => [Check.NotReached("policy.any-of", at + ".AnyOf")],
        TeePolicy tee when appraisers.TryGetValue(tee.Kind, out IAppraiser? appraiser) => [Check.NotReached("policy.evidence", $"{at}.{tee.Kind}"), .. CheckList.NotReached(At(appraiser.Plan, $"{at}.{tee.Kind}"))],
        _ => [Check.NotReached("policy.supported", at)],
    };

    private static ImmutableArray<PlannedCheck> At(ImmutableArray<PlannedCheck> plan, string at) => [.. plan.Select(check => check with { Field = $"{at}.{check.Field}" })];

    private static bool Holds(ImmutableArray<Check> checks) => checks.Length > 0 && checks.All(check => check.Verdict == Verdict.Passed);
}
