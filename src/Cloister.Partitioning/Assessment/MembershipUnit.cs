using System.Collections.Immutable;
using System.Globalization;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Membership;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Assessment;

/// <summary>Whether pictures that the model was trained on are told from others, and what partitioning adds to what answers tell in any mode.</summary>
internal sealed class MembershipUnit(PictureSet members) : IAttack
{
    internal const string Attack = "membership";

    private static readonly MembershipSettings Defaults = new();

    public string Name => Attack;

    public string Settings { get; } = $"1 {members.Digest} {Defaults with { Threads = 1 }}";

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        Cut?[] ends = [null, .. target.Tails];
        return
        [
            .. ends.Select((tail, place) => Of(MembershipAttack.Run(
                Defaults with { Seed = target.Seed, Threads = threads }, [.. members.Test, .. members.Fit], [.. target.Pictures.Test, .. target.Pictures.Fit], target.Model.Size, target.Model.Proto,
                target.Cut!, tail, new PartOfWork(progress, place, ends.Length), cancellation))),
        ];
    }

    private static Finding Of(MembershipScore score) => new()
    {
        Attack = Attack,
        NotRun = null,
        Found = score.Leaks,
        Measures =
        [
            new Measure("members-outside", score.Outside, score.Answers.Estimate, AreaUnderCurve.Chance),
            new Measure("members-by-answers", score.Answers, score.Pictures.Estimate, AreaUnderCurve.Chance),
            new Measure("members-by-confidence", score.Confidence, score.Pictures.Estimate, AreaUnderCurve.Chance),
            new Measure("members-by-pictures-alone", score.Pictures, Chance: AreaUnderCurve.Chance),
            new Measure("members-added-by-partitioning", score.Added, Chance: 0),
        ],
        Notes = [.. Notes(score)],
        Protection = score.Protection is { } protection ? Scores.Of(ProtectionScores.Membership, protection) : Scores.None,
    };

    private static IEnumerable<string> Notes(MembershipScore score)
    {
        yield return score.Leaks switch
        {
            null => $"Pictures given as members differ from the others by themselves ({Area(score.Pictures)} without any model; chance 0.5): nothing here is about the model. Give members and others of the same kind.",
            true => $"Pictures that the model was trained on are told from others: {Area(score.Outside)} by who runs the part outside, {Area(score.Answers)} by answers alone as in mode enclave (chance 0.5). {(score.Adds == true ? "Partitioning adds to it." : "Partitioning is not shown to add to it.")}",
            false => $"Pictures that the model was trained on are not shown to be told from others: {Area(score.Outside)} by who runs the part outside, {Area(score.Answers)} by answers alone as in mode enclave (chance 0.5).",
        };
        yield return $"{score.Members} members and {score.Others} others told apart, by attackers who know {score.KnownMembers} other members and {score.KnownOthers} other pictures as such; looked at was what crosses{(score.Watched.IsEmpty ? "" : $" and {string.Join(", ", score.Watched)}")}. Who trains models of the same kind tells more.";
    }

    private static string Area(Interval area) => string.Create(CultureInfo.InvariantCulture, $"{area.Estimate:0.00} [{area.Lower:0.00} {area.Upper:0.00}]");
}
