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

    private static readonly string[] Verdicts = ["inversion", "gradient", "tokens"];

    /// <summary>Judges every cut by its own findings and by those of cuts that are computed from it.</summary>
    public static ImmutableArray<AssessedCut> Cuts(ModelProto model, IReadOnlyList<(Cut Cut, ImmutableArray<Finding> Findings)> assessed)
    {
        var judged = new List<AssessedCut>(assessed.Count);
        foreach ((Cut cut, ImmutableArray<Finding> findings) in assessed)
        {
            (Cut Cut, ImmutableArray<Finding> Findings)[] after = [.. assessed.Where(other => CutChoice.IsComputedFrom(model, other.Cut.Tensors, cut.Tensors))];
            Cut? later = after.Where(other => Leaks(other.Findings)).Select(other => other.Cut).FirstOrDefault();
            CutVerdict verdict = Leaks(findings) ? CutVerdict.Leaks
                : later is not null ? CutVerdict.LeaksThroughLater
                : findings.Any(finding => Verdicts.Contains(finding.Attack) && finding.NotRun is null) ? CutVerdict.NotShownToLeak
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
            if (name is ProtectionScores.Pictures or ProtectionScores.Tokens && scores.TryGetValue(name, out double worst) && score < worst) scores[name] = score;
        }
        return scores.ToImmutable();
    }

    /// <summary>What to do.</summary>
    public static Recommendation Recommend(bool valid, ImmutableArray<AssessedCut> cuts, ImmutableArray<AssessedTail> tails)
    {
        if (!valid)
            return new Recommendation(false, [], [], ["This assessment is invalid: the attack did not find everything where everything is seen, or found something in noise. Do not rely on any figure of it; give more or other pictures."]);
        AssessedCut? cut = cuts.FirstOrDefault(candidate => candidate.Verdict == CutVerdict.NotShownToLeak);
        if (cut is null || cut.MacShareInside > 1 - LeastOutside)
        {
            string why = cut is null
                ? cuts.Any(candidate => candidate.Verdict == CutVerdict.NotMeasured) ? "No measured cut was without a finding." : "Every cut leaks."
                : $"The first cut that is not shown to leak, after {string.Join(", ", cut.Tensors)}, has {Percent(cut.MacShareInside)} of the computation before it: nothing is left to run elsewhere.";
            return new Recommendation(false, [], [], ["Do not partition this model: use mode enclave.", why]);
        }
        var words = new List<string>
        {
            $"Cut after {string.Join(", ", cut.Tensors)} at the earliest: there the attacks that ran found nothing beyond chance.",
            $"The price: {Percent(cut.MacShareInside)} of the computation stays inside, {PageText.Bytes(cut.BoundaryBytes)} cross for each item, and {PageText.Bytes(cut.WeightBytesOutside)} of weights are given away.",
            "Not shown to leak is not safe: a trained decoder finds more than these attacks. Where pictures must not be seen, use mode enclave.",
        };
        AssessedTail? tail = Tail(tails, cut, words);
        return new Recommendation(true, cut.Tensors, tail?.Tensors ?? [], [.. words]);
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
        if (best is null)
            words.Add("What class it is can be told wherever it was tried: hiding the names of classes protects nothing here.");
        else if (best.Tensors.IsEmpty)
            words.Add("Nothing was found of the classes in the answer: no tail is needed by this measure.");
        else if (best.MacShareInside + cut.MacShareInside >= 1)
            best = null;
        else
            words.Add($"Let the tail from {string.Join(", ", best.Tensors)} on run inside as well ({Percent(best.MacShareInside)} of the computation): up to there nothing was found of the classes.");
        return best;
    }

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
