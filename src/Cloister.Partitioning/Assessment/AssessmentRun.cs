using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>
/// Runs the attacks of a plan at every cut and says what they come to. A unit is one attack at one cut; each is kept when it is finished, so
/// that a run that was stopped goes on where it was, and a changed input redoes exactly what depends on it.
/// </summary>
public static class AssessmentRun
{
    /// <summary>Pictures or texts to learn from, of which fewer find too little to recommend a cut by.</summary>
    public const int LeastFit = 300;

    /// <summary>Pictures or texts to attack, of which fewer say too little to recommend a cut by.</summary>
    public const int LeastTest = 60;

    private const int TailCandidates = 3;

    /// <summary>What must not be left out where an assessment is quoted.</summary>
    public static ImmutableArray<string> Notices { get; } =
    [
        "Every attack here is a lower bound: decoders trained on many pictures find more, deeper in the model, than least squares on a few hundred (arXiv 2310.07152, 2503.00383).",
        "The weights of the part outside are given away in clear to whoever runs it. Permuting or scaling them hides nothing that lasts.",
        "An assessment speaks of pictures like those it was given. Other pictures can fare differently, and so can those that are near copies of each other, which are left out here.",
        "The flow of front inside, back outside and mapping inside, and the choice of the cut by an automated assessment, are described by US patent 11,443,182: get advice before shipping it.",
    ];

    /// <summary>Runs a plan.</summary>
    /// <param name="plan">What is to be assessed.</param>
    /// <param name="progress">Hears of every unit; from many threads.</param>
    /// <param name="cancellation">Stops it; what is finished stays.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.ModelRefused"/>: the model cannot be assessed with these pictures.</exception>
    /// <exception cref="GraphException">The graph cannot be cut at all, or not where the plan says; language models are refused so.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static async Task<AssessmentReport> RunAsync(AssessmentPlan plan, IProgress<AssessmentProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.CutCount, 1);
        if ((plan.Members?.Size ?? plan.Model.Size) != plan.Model.Size) throw new ArgumentException($"The members are of {plan.Members!.Size}, the model reads {plan.Model.Size}.", nameof(plan));
        if (plan.Pictures.Size != plan.Model.Size) throw new ArgumentException($"The pictures are of {plan.Pictures.Size}, the model reads {plan.Model.Size}.", nameof(plan));
        ModelGraph graph = ReadGraph(plan.Model);
        ImmutableArray<Cut> all = CutFinder.Find(graph);
        ImmutableArray<Cut> cuts = plan.Cuts.IsEmpty ? CutChoice.Spread(all, plan.CutCount) : [.. plan.Cuts.Select(cut => graph.Cut(cut)).OrderBy(cut => cut.MacsBefore).ThenBy(cut => cut.NodesBefore)];
        if (cuts.IsEmpty) throw new PartitioningException(PartitioningError.ModelRefused, $"'{plan.Model.Name}' has no cut of a single tensor; name one of several with --cut.");
        ImmutableArray<Cut> tails = plan.Tails.IsEmpty ? CutChoice.Last(all, TailCandidates) : [.. plan.Tails.Select(tail => graph.Cut(tail))];

        AttackList attacks = plan.Attacks ?? AttackChoice.Of(plan);
        AttackTarget Target(Cut? cut, ImmutableArray<Cut> tails) => new(plan.Model, graph, cut, tails, plan.Pictures, plan.Seed);
        var units = new List<AssessmentUnit> { new(attacks.Calibration, Target(null, [])) };
        // Without a public model and members no tail makes a difference, but one that was asked for.
        ImmutableArray<Cut> tried = attacks.AtTails is null && plan.Members is null && plan.Tails.IsEmpty ? [] : tails;
        ImmutableArray<Cut> TailsOf(Cut cut) => CutChoice.Behind(plan.Model.Proto, cut, tried);
        IEnumerable<AssessmentUnit> At(ImmutableArray<Cut> places) => places.SelectMany(cut => (IEnumerable<AssessmentUnit>)
        [
            .. attacks.AtCuts.Select(attack => new AssessmentUnit(attack, Target(cut, []))),
            .. attacks.AtParts.Select(attack => new AssessmentUnit(attack, Target(cut, TailsOf(cut)))),
        ]);
        units.AddRange(At(cuts));
        if (attacks.AtTails is { } labels) units.Add(new AssessmentUnit(labels, Target(null, tails)));
        using UnitStore store = UnitStore.Open(plan.WorkFolder);
        ImmutableArray<Finding>[] findings = await UnitRun.RunAsync(units, store, plan.Threads, progress, cancellation);
        int each = attacks.AtCuts.Length + attacks.AtParts.Length;
        ImmutableArray<MeasuredCut> measured = MeasuredCut.Of(cuts, TailsOf, findings.AsSpan(1, cuts.Length * each));
        ImmutableArray<Cut> behind = CutsBehind.Of(plan.Model.Proto, Judgement.Cuts(plan.Model.Proto, measured), all);
        if (!behind.IsEmpty)
        {
            ImmutableArray<Finding>[] more = await UnitRun.RunAsync([.. At(behind)], store, plan.Threads, progress, cancellation);
            measured = [.. measured.Concat(MeasuredCut.Of(behind, TailsOf, more)).OrderBy(one => one.Cut.MacsBefore).ThenBy(one => one.Cut.NodesBefore)];
        }
        return Report(plan, graph, findings[0][0], measured, tails, attacks.AtTails is null ? [] : findings[^1]);
    }

    /// <summary>Why so many pictures or texts are too few to say that nothing was found; null where they are enough.</summary>
    /// <param name="fit">How many were learned from.</param>
    /// <param name="test">How many were attacked.</param>
    public static string? TooFew(int fit, int test) => fit >= LeastFit && test >= LeastTest ? null
        : $"{fit} to learn from and {test} to attack are too few to say that nothing was found: {LeastFit} and {LeastTest} are the least.";

    internal static ModelGraph ReadGraph(AssessedModel model) =>
        ModelGraph.Read(model.Proto, new Dictionary<string, long[]> { [model.Input] = [.. model.Shape] });

    private static AssessmentReport Report(AssessmentPlan plan, ModelGraph graph, Finding calibration, ImmutableArray<MeasuredCut> measured, ImmutableArray<Cut> tails, ImmutableArray<Finding> labels)
    {
        (int fit, int test) = !plan.Model.ReadsTexts ? (plan.Pictures.Fit.Length, plan.Pictures.Test.Length)
            : plan.Texts is { } texts ? (texts.Count - texts.Count / 5, texts.Count / 5) : (TokenUnit.Defaults.FitTexts, TokenUnit.Defaults.TestTexts);
        bool valid = calibration is { NotRun: null, Found: true };
        ImmutableArray<AssessedCut> assessed = Judgement.Cuts(plan.Model.Proto, measured);
        ImmutableArray<AssessedTail> ends = labels.Length == 0 ? [] : [.. tails.Prepend(null).Select((tail, place) => End(graph, tail, labels[place]))];
        string? invalid = valid ? null : calibration.NotRun ?? calibration.Notes.FirstOrDefault("");
        return new AssessmentReport
        {
            Version = AssessmentReport.CurrentVersion,
            Tool = Tool,
            Time = new DateTimeOffset(plan.Clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero),
            Valid = valid,
            Model = new ReportedModel(plan.Model.Name, plan.Model.Digest, plan.Model.Preprocess, plan.Model.Shape, graph.Macs, graph.WeightBytes),
            Pictures = new ReportedPictures(fit, test, plan.Pictures.Candidates, plan.Pictures.Duplicates, plan.Pictures.SkippedCount, plan.Pictures.Digest),
            Members = plan.Members is { } members ? new ReportedPictures(members.Fit.Length, members.Test.Length, members.Candidates, members.Duplicates, members.SkippedCount, members.Digest) : null,
            Seed = plan.Seed,
            Calibration = calibration,
            Cuts = assessed,
            Tails = ends,
            Recommendation = Judgement.Recommend(valid, assessed, ends, invalid, TooFew(fit, test)),
            Notices = Notices,
        };
    }

    private static AssessedTail End(ModelGraph graph, Cut? tail, Finding finding) => new()
    {
        Tensors = tail?.Tensors ?? [],
        MacShareInside = tail is null ? 0 : 1 - tail.MacShareBefore,
        BoundaryBytes = tail?.BoundaryBytes ?? graph.Outputs.Sum(output => output.Bytes),
        Labels = finding,
    };

    /// <summary>The program's name and version, as reports state it.</summary>
    public static string Tool { get; } = $"cloister {typeof(AssessmentRun).Assembly.GetName().Version?.ToString(3)}";
}
