using System.Collections.Immutable;
using System.Globalization;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>What findings come to, in words. What cannot be shown to leak is never called safe.</summary>
internal static class Judgement
{
    /// <summary>Partitions that leave less computation than this outside are not worth what they give away.</summary>
    public const double LeastOutside = 0.05;

    // Those that can condemn a cut, and those without which nothing is said in its favour: a search by gradient sees too few pictures for that.
    private static readonly string[] Verdicts = ["inversion", "gradient", "tokens"], Needed = ["inversion", "tokens"];

    // A finding is weak where it would not stand if it had been sought at as many cuts as are looked at by default.
    private const double Weak = 0.025 / 12;

    // Who has an earlier tensor has the later ones, and the weights between. The heuristic is a rule about one layer; the order of classes is about where the outside ends.
    private static readonly string[] OfWhatFollows = [ProtectionScores.Pictures, ProtectionScores.Tokens, ProtectionScores.Weights, ProtectionScores.Membership];

    /// <summary>Judges every cut by its own findings and by those of cuts that are computed from it.</summary>
    public static ImmutableArray<AssessedCut> Cuts(ModelProto model, IReadOnlyList<MeasuredCut> assessed)
    {
        var judged = new List<AssessedCut>(assessed.Count);
        foreach (MeasuredCut measured in assessed)
        {
            (Cut cut, ImmutableArray<Finding> findings) = measured;
            MeasuredCut[] after = [.. assessed.Where(other => CutChoice.IsComputedFrom(model, other.Cut.Tensors, cut.Tensors))];
            Cut? later = after.Where(other => Leaks(other.Findings)).Select(other => other.Cut).FirstOrDefault();
            CutVerdict verdict = Leaks(findings) ? CutVerdict.Leaks
                : later is not null ? CutVerdict.LeaksThroughLater
                : findings.Any(Decides) ? CutVerdict.NotShownToLeak
                : CutVerdict.NotMeasured;
            judged.Add(new AssessedCut
            {
                Tensors = cut.Tensors,
                Shapes = cut.Shapes,
                MacShareInside = cut.MacShareBefore,
                WeightBytesInside = cut.WeightBytesBefore,
                WeightBytesOutside = cut.WeightBytesAfter,
                BoundaryBytes = cut.BoundaryBytes,
                Verdict = verdict,
                Words = Words(verdict, findings, later),
                Protection = Protection(findings, after.Select(other => other.Findings)),
                Findings = findings,
                Tails = measured.Tails,
            });
        }
        return [.. judged];
    }

    /// <summary>The scores of a cut: its own, and of pictures and tokens the worst of what is computed outside.</summary>
    public static ImmutableSortedDictionary<string, double> Protection(ImmutableArray<Finding> own, IEnumerable<ImmutableArray<Finding>> outside)
    {
        var scores = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        foreach ((string name, double score) in own.SelectMany(finding => finding.Protection)) scores[name] = Math.Min(score, scores.GetValueOrDefault(name, 1));
        foreach ((string name, double score) in outside.SelectMany(findings => findings).SelectMany(finding => finding.Protection))
        {
            if (OfWhatFollows.Contains(name) && scores.TryGetValue(name, out double worst) && score < worst) scores[name] = score;
        }
        // Without the attack that decides, the others' scores of pictures and tokens are of too little to stand alone.
        if (!own.Any(Decides)) scores.RemoveRange([ProtectionScores.Pictures, ProtectionScores.Tokens]);
        return scores.ToImmutable();
    }

    /// <summary>What to do.</summary>
    /// <param name="valid">Whether the attacks are calibrated.</param>
    /// <param name="cuts">The cuts, from the input to the output.</param>
    /// <param name="tails">Where the part outside may end.</param>
    /// <param name="invalid">Why the attacks are not calibrated, where they are not.</param>
    /// <param name="few">Why no cut may be recommended by so few pictures; null where they are enough.</param>
    public static Recommendation Recommend(bool valid, ImmutableArray<AssessedCut> cuts, ImmutableArray<AssessedTail> tails, string? invalid = null, string? few = null)
    {
        if (!valid)
            return new Recommendation(false, [], [],
            [
                "This assessment is invalid: whether the attack finds everything where everything is seen, and nothing in noise, could not be shown. Do not rely on any figure of it; give more or other pictures.",
                .. string.IsNullOrEmpty(invalid) ? (string[])[] : [invalid],
            ]);
        AssessedCut? cut = cuts.FirstOrDefault(candidate => candidate.Verdict == CutVerdict.NotShownToLeak);
        if (cut is null || cut.MacShareInside > 1 - LeastOutside || few is not null)
            return new Recommendation(false, [], [], ["Do not partition this model: use mode enclave.", .. Reasons(cut, cuts, few)]);
        List<string> words =
        [
            $"Cut after {string.Join(", ", cut.Tensors)} at the earliest: there the attacks that ran found nothing beyond chance.",
            $"The price: {Percent(cut.MacShareInside)} of the computation stays inside, {PageText.Bytes(cut.BoundaryBytes)} cross for each item, and {PageText.Bytes(cut.WeightBytesOutside)} of weights are given away.",
            .. cut["membership"] is { Found: true, NotRun: null } membership ? (string[])[membership.Notes[0]] : [],
            "Not shown to leak is not safe: a trained decoder finds more than these attacks. Where pictures must not be seen, use mode enclave.",
        ];
        AssessedTail? tail = Tail(tails, cut, words);
        return new Recommendation(true, cut.Tensors, tail?.Tensors ?? [], [.. words]);
    }

    private static IEnumerable<string> Reasons(AssessedCut? cut, ImmutableArray<AssessedCut> cuts, string? few)
    {
        AssessedCut[] unmeasured = [.. cuts.Where(candidate => candidate.Verdict == CutVerdict.NotMeasured)];
        if (cut is not null && cut.MacShareInside > 1 - LeastOutside)
            yield return $"The first cut that is not shown to leak, after {string.Join(", ", cut.Tensors)}, has {Percent(cut.MacShareInside)} of the computation before it: nothing is left to run elsewhere.";
        else if (cut is not null)
            yield return few!;
        else
            yield return unmeasured.Length == 0 ? "Every cut leaks." : "No measured cut was without a finding.";
        if (unmeasured.SelectMany(candidate => candidate.Findings).FirstOrDefault(finding => Needed.Contains(finding.Attack) && finding.NotRun is not null) is { } unrun)
            yield return $"Nothing could be measured at {unmeasured.Length} of {cuts.Length} cuts, such as after {string.Join(", ", unmeasured[0].Tensors)}: {unrun.NotRun}";
        // Where nothing but weak findings stand between the owner and a cut that is worth it.
        AssessedCut[] after = [.. cuts.Reverse().TakeWhile(candidate => candidate.Verdict != CutVerdict.Leaks || WeakFinding(candidate) is not null).Reverse()];
        foreach (AssessedCut candidate in after.Any(candidate => candidate.MacShareInside <= 1 - LeastOutside) ? after : [])
            if (WeakFinding(candidate) is { } share)
                yield return string.Create(CultureInfo.InvariantCulture, $"The finding after {string.Join(", ", candidate.Tensors)} is weak: guessing finds as much at one cut in {1 / share:0}. More pictures to attack settle it (--test).");
    }

    // Of a cut that leaks by nothing but a weak finding, how often chance gives as much.
    private static double? WeakFinding(AssessedCut cut)
    {
        double least = cut.Findings.Where(finding => Verdicts.Contains(finding.Attack) && finding.Found == true).Select(finding => finding[Measure.ChanceOfAsMany]?.Value.Estimate ?? 0).DefaultIfEmpty(0).Min();
        return least > Weak ? least : null;
    }

    private static AssessedTail? Tail(ImmutableArray<AssessedTail> tails, AssessedCut cut, List<string> words)
    {
        if (tails.IsEmpty)
        {
            words.Add("Whether the classes stay secret was not measured: give a public model.");
            return null;
        }
        // What is found at one place is found at every later one too: the outside computes the earlier on its way.
        AssessedTail? best = null;
        foreach (AssessedTail tail in tails.OrderByDescending(tail => tail.MacShareInside))
        {
            if (tail.Labels.NotRun is not null) continue;
            if (tail.Labels.Found == true) break;
            best = tail;
        }
        if (tails.All(tail => tail.Labels.NotRun is not null))
            words.Add($"Whether the classes stay secret could not be measured: {tails[0].Labels.NotRun}");
        else if (best is null)
            words.Add("What class it is can be told wherever it was tried: hiding the names of classes protects nothing here.");
        else if (best.Tensors.IsEmpty)
            words.Add("Nothing was found of the classes in the answer: no tail is needed by this measure.");
        else if (best.MacShareInside + cut.MacShareInside >= 1)
            best = null;
        else
            words.Add($"Let the tail from {string.Join(", ", best.Tensors)} on run inside as well ({Percent(best.MacShareInside)} of the computation): up to there nothing was found of the classes.");
        return best;
    }

    private static bool Decides(Finding finding) => Needed.Contains(finding.Attack) && finding.NotRun is null;

    private static bool Leaks(ImmutableArray<Finding> findings) => findings.Any(finding => Verdicts.Contains(finding.Attack) && finding.Found == true);

    private static string Words(CutVerdict verdict, ImmutableArray<Finding> findings, Cut? later) => verdict switch
    {
        CutVerdict.Leaks => $"leaks {(findings.Any(finding => finding.Attack == "tokens" && finding.Found == true) ? "text" : "pictures")}",
        CutVerdict.LeaksThroughLater => $"leaks: what is computed from it, up to {string.Join(", ", later!.Tensors)}, does",
        CutVerdict.NotShownToLeak => "not shown to leak",
        _ => "not measured",
    };

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");
}
