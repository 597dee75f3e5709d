using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Tests.Assessment;

public sealed class JudgementTests
{
    private static readonly ModelGraph Graph = AssessmentRun.ReadGraph(TinyNet.Model());

    [Fact]
    public void What_leads_to_a_leak_leaks_as_well()
    {
        ImmutableArray<AssessedCut> cuts = Judge((TinyNet.First, false), (TinyNet.Second, true), (TinyNet.Pooled, false));
        Assert.Equal([CutVerdict.LeaksThroughLater, CutVerdict.Leaks, CutVerdict.NotShownToLeak], cuts.Select(cut => cut.Verdict));
        Assert.Equal("leaks: what is computed from it, up to relu2, does", cuts[0].Words);
        Assert.Equal("not shown to leak", cuts[2].Words);
        Assert.DoesNotContain(cuts, cut => cut.Words.Contains("safe", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_worst_of_what_is_computed_outside_counts()
    {
        ImmutableArray<AssessedCut> cuts = Judge((TinyNet.First, false, 0.9), (TinyNet.Second, true, 0.2), (TinyNet.Pooled, false, 0.7));
        Assert.Equal([0.2, 0.2, 0.7], cuts.Select(cut => cut.Protection[ProtectionScores.Pictures]));
    }

    [Fact]
    public void Where_every_cut_leaks_the_enclave_is_recommended()
    {
        Recommendation advice = Judgement.Recommend(true, Judge((TinyNet.First, true), (TinyNet.Second, true)), []);
        Assert.False(advice.Partition);
        Assert.Equal("Do not partition this model: use mode enclave.", advice.Words[0]);
    }

    [Fact]
    public void A_cut_that_leaves_nothing_outside_is_no_partition()
    {
        Recommendation advice = Judgement.Recommend(true, Judge((TinyNet.First, true), (TinyNet.Pooled, false)), []);
        Assert.False(advice.Partition);
        Assert.Contains("nothing is left to run elsewhere", advice.Words[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_earliest_cut_that_is_not_shown_to_leak_is_recommended_with_its_price_and_its_tail()
    {
        ImmutableArray<AssessedCut> cuts = Judge((TinyNet.First, false), (TinyNet.Second, false));
        Recommendation advice = Judgement.Recommend(true, cuts, [Tail(null, true), Tail(TinyNet.Logits, true), Tail(TinyNet.Pooled, false)]);
        Assert.True(advice.Partition);
        Assert.Equal([TinyNet.First], advice.Cut.AsEnumerable());
        Assert.Equal([TinyNet.Pooled], advice.Tail.AsEnumerable());
        Assert.Contains("stays inside", advice.Words[1], StringComparison.Ordinal);
        Assert.Contains("is not safe", advice.Words[2], StringComparison.Ordinal);
        Assert.Empty(Judgement.Recommend(true, cuts, [Tail(null, false), Tail(TinyNet.Pooled, false)]).Tail);
        Assert.Empty(Judgement.Recommend(true, cuts, [Tail(null, true), Tail(TinyNet.Pooled, true)]).Tail);
        // An earlier place where the order is recovered lies on the way to a later one.
        Assert.Empty(Judgement.Recommend(true, cuts, [Tail(null, false), Tail(TinyNet.Pooled, true)]).Tail);
    }

    [Fact]
    public void A_search_by_gradient_alone_says_nothing_in_a_cuts_favour()
    {
        Finding refused = Finding.Refused("inversion", "features"), gradient = Found("gradient", false, 0.9);
        AssessedCut cut = Assert.Single(Judgement.Cuts(Graph.Model, [new MeasuredCut(Graph.Cut([TinyNet.First]), [refused, gradient])]));
        Assert.Equal((CutVerdict.NotMeasured, 0), (cut.Verdict, cut.Protection.Count));
        Assert.Contains("features", Judgement.Recommend(true, [cut], []).Words[2], StringComparison.Ordinal);
        cut = Assert.Single(Judgement.Cuts(Graph.Model, [new MeasuredCut(Graph.Cut([TinyNet.First]), [refused, Found("gradient", true, 0)])]));
        Assert.Equal(CutVerdict.Leaks, cut.Verdict);
    }

    [Fact]
    public void So_few_pictures_recommend_nothing_and_say_so()
    {
        ImmutableArray<AssessedCut> cuts = Judge((TinyNet.First, false));
        Assert.Null(AssessmentRun.TooFew(300, 60));
        foreach ((int fit, int test) in new[] { (20, 60), (300, 10) })
        {
            Recommendation advice = Judgement.Recommend(true, cuts, [], null, AssessmentRun.TooFew(fit, test));
            Assert.False(advice.Partition);
            Assert.Contains("300 and 60 are the least", advice.Words[1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_weak_finding_still_condemns_and_is_called_weak()
    {
        AssessedCut[] cuts = [.. Judge((TinyNet.First, true)).Select(cut => cut with { Findings = [cut.Findings[0] with { Measures = [Measure.Exact(Measure.ChanceOfAsMany, 0.018)] }] })];
        Recommendation advice = Judgement.Recommend(true, [.. cuts], []);
        Assert.False(advice.Partition);
        Assert.Contains("at one cut in 56", advice.Words[2], StringComparison.Ordinal);
        // Beside a cut that leaks beyond doubt it does not matter.
        Assert.Equal(2, Judgement.Recommend(true, [.. cuts, .. Judge((TinyNet.Pooled, true))], []).Words.Length);
    }

    [Fact]
    public void An_invalid_assessment_says_why()
    {
        Recommendation advice = Judgement.Recommend(false, [], [], "20 pictures are needed");
        Assert.Equal("20 pictures are needed", advice.Words[1]);
    }

    [Fact]
    public void Classes_that_could_not_be_measured_are_not_called_told()
    {
        Recommendation advice = Judgement.Recommend(true, Judge((TinyNet.First, false)), [Tail(null, false) with { Labels = Finding.Refused("labels", "one answer") }]);
        Assert.Equal("Whether the classes stay secret could not be measured: one answer", advice.Words[^1]);
    }

    [Fact]
    public void Cuts_are_spread_over_the_computation()
    {
        Cut[] cuts = [.. Enumerable.Range(0, 101).Select(i => Graph.Cut([TinyNet.First]) with { MacsBefore = i, MacsWhole = 100, BoundaryBytes = 7 })];
        Assert.Equal([0, 25, 50, 75, 100], CutChoice.Spread(cuts, 5).Select(cut => cut.MacsBefore));
        Assert.Equal(101, CutChoice.Spread(cuts, 500).Length);
        Assert.Equal([0L], CutChoice.Spread(cuts, 1).Select(cut => cut.MacsBefore));
        Cut[] same = [cuts[3] with { BoundaryBytes = 9 }, cuts[3] with { BoundaryBytes = 5 }, cuts[3] with { BoundaryBytes = 6 }];
        Assert.Equal(5, CutChoice.Spread(same, 5).Single().BoundaryBytes);
        Assert.Equal([100, 99], CutChoice.Last(cuts, 2).Select(cut => cut.MacsBefore));
    }

    [Fact]
    public void What_is_computed_from_what_is_read_from_the_graph()
    {
        Assert.True(CutChoice.IsComputedFrom(Graph.Model, [TinyNet.Pooled], [TinyNet.First]));
        Assert.True(CutChoice.IsComputedFrom(Graph.Model, [TinyNet.First], [TinyNet.First]));
        Assert.False(CutChoice.IsComputedFrom(Graph.Model, [TinyNet.First], [TinyNet.Pooled]));
    }

    private static ImmutableArray<AssessedCut> Judge(params (string Tensor, bool Found)[] cuts) => Judge([.. cuts.Select(cut => (cut.Tensor, cut.Found, cut.Found ? 0.0 : 1.0))]);

    private static ImmutableArray<AssessedCut> Judge(params (string Tensor, bool Found, double Score)[] cuts) =>
        Judgement.Cuts(Graph.Model, [.. cuts.Select(cut => new MeasuredCut(Graph.Cut([cut.Tensor]), [Found("inversion", cut.Found, cut.Score)]))]);

    private static AssessedTail Tail(string? tensor, bool found) => new()
    {
        Tensors = tensor is null ? [] : [tensor],
        MacShareInside = tensor is null ? 0 : 1 - Graph.Cut([tensor]).MacShareBefore,
        BoundaryBytes = 20,
        Labels = Found("labels", found, 0),
    };

    private static Finding Found(string attack, bool found, double score) => Finding.Refused(attack, "") with
    {
        NotRun = null,
        Found = found,
        Protection = ImmutableSortedDictionary<string, double>.Empty.Add(ProtectionScores.Pictures, score),
    };
}
