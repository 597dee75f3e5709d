using System.Collections.Immutable;
using System.Globalization;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Heuristic;
using Cloister.Partitioning.Labels;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>Whether the order of the classes, or single answers, can be told from what the part outside ends in.</summary>
internal sealed class LabelUnit(ImmutableArray<PublicModelFile> publicModels, ImmutableArray<string> labels) : IAttack
{
    private static readonly LabelSettings Defaults = new();

    public string Name => "labels";

    public string Settings => string.Join('\n', (string[])
    [
        $"2 {Defaults with { Threads = 1 }} {string.Join(' ', Defaults.Lambdas.Select(lambda => lambda.ToString(CultureInfo.InvariantCulture)))}",
        .. publicModels.Select(one => $"{one.Model.Digest} {one.Model.Preprocess} {one.Labels.Length}\n{string.Join('\n', one.Labels)}"),
        .. labels,
    ]);

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        var opened = new List<PublicModel>();
        try
        {
            foreach (PublicModelFile one in publicModels) opened.Add(new PublicModel(one.Model.Name, Oracle.Open(one.Model.Proto, one.Model.Preprocessing, one.Model.Size), one.Labels));
            Cut[] tails = [.. target.Tails.OrderBy(tail => tail.MacsBefore).ThenBy(tail => tail.NodesBefore)];
            LabelScore score = LabelAttack.Run(Defaults with { Seed = target.Seed, Threads = threads }, opened, labels, target.Pictures.Fit, target.Pictures.Test, target.Model.Size, target.Model.Proto, tails, progress, cancellation);
            return [Answer(score), .. target.Tails.Select(tail => Tail(score.Tails[Array.IndexOf(tails, tail)]))];
        }
        finally
        {
            foreach (PublicModel one in opened) one.Classifier.Dispose();
        }
    }

    private Finding Answer(LabelScore score)
    {
        var measures = ImmutableArray.CreateBuilder<Measure>();
        if (score.ByCorrelation is { } correlation) Add(measures, "order-by-correlation", correlation);
        if (score.ByFirstAnswer is { } first) Add(measures, "order-by-first-answer", first);
        measures.AddRange(Probes(score.Output));
        return Of(score.OutputFound, score.Protection(), measures.ToImmutable(),
        [
            score.ByCorrelation is { } matched
                ? $"{Percent(matched.Recovered.Estimate)} of the order of {score.Classes} classes was recovered from answers to {score.Pictures} pictures without labels, by comparison with {string.Join(", ", score.PublicModels)}; {score.ActiveClasses} classes were ever the first answer."
                : $"No public model was compared with; {score.ActiveClasses} of {score.Classes} classes were ever the first answer.",
        ]);
    }

    private Finding Tail(LabelExposure exposure) => Of(exposure.Found, exposure.Protection, Probes(exposure),
        [$"The best probe names the model's answer for {Percent(exposure.Probes.Max(probe => probe.Agreement.Estimate))} of other pictures; the best constant answer for {Percent(exposure.Probes.Max(probe => probe.Chance))}."]);

    private Finding Of(bool found, double protection, ImmutableArray<Measure> measures, ImmutableArray<string> notes) => new()
    {
        Attack = Name,
        NotRun = null,
        Found = found,
        Measures = measures,
        Notes = notes,
        Protection = Scores.Of(ProtectionScores.Labels, protection),
    };

    private static void Add(ImmutableArray<Measure>.Builder measures, string name, LabelMatch match)
    {
        measures.Add(new Measure(name, match.Recovered, Chance: match.Chance));
        if (match.RecoveredActive is { } active) measures.Add(new Measure(name + "-of-active", active, Chance: match.Chance));
    }

    private static ImmutableArray<Measure> Probes(LabelExposure exposure) => [.. exposure.Probes.Select(probe => new Measure($"answer-by-{probe.Method.Replace(' ', '-')}, taught by {probe.Teacher}", probe.Agreement, Chance: probe.Chance))];

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");
}
