using System.Collections.Immutable;
using System.Globalization;
using Cloister.Partitioning.Heuristic;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Assessment;

/// <summary>The literature's criterion, told beside the verdict and never as one.</summary>
internal sealed class HeuristicUnit(AssessedModel oracle) : IAttack
{
    private static readonly HeuristicSettings Defaults = new();

    public string Name => "heuristic";

    public string Settings => $"1 {oracle.Digest} {oracle.Preprocess} {Defaults with { Threads = 1 }}";

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        using var second = Oracle.Open(oracle.Proto, oracle.Preprocessing, oracle.Size);
        HeuristicScore score = HeuristicAttack.Run(Defaults with { Seed = target.Seed, Threads = threads }, second, target.Pictures.Test, target.Model.Size, target.Model.Proto, target.Cut!, progress, cancellation);
        string passes = score.SafeByMedian
            ? $"would call it safe by its median (delta {Number(score.Delta.Median)})"
            : $"would not call it safe (median delta {Number(score.Delta.Median)})";
        return
        [
            new Finding
            {
                Attack = Name,
                NotRun = null,
                Found = score.OwnFirst.Lower > score.OwnFirstChance,
                Measures =
                [
                    new Measure("delta", new Interval(score.Delta.Twentieth, score.Delta.Median, score.Delta.Greatest)),
                    new Measure("delta-null", new Interval(score.Null.Twentieth, score.Null.Median, score.Null.Greatest)),
                    new Measure("called-safe", score.Safe, score.NullSafe),
                    new Measure("own-maps-first", score.OwnFirst, Chance: score.OwnFirstChance),
                    new Measure("own-maps-in-lowest-twentieth", score.OwnInLowest, Chance: score.OwnInLowestChance),
                ],
                Notes =
                [
                    passes,
                    $"{score.Pictures.Length} pictures, {score.MapsUsed} of {score.Maps} feature maps, second classifier '{oracle.Name}' of {score.OracleClasses} classes. Maps of unrelated pictures reach delta 1 in {Number(100 * score.NullSafe)} % of pairs.",
                    HeuristicScore.Warning,
                ],
                Protection = Scores.Of(ProtectionScores.Heuristic, score.Protection),
            },
        ];
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
