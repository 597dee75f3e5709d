using System.Collections.Immutable;
using System.Globalization;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Weights;

namespace Cloister.Partitioning.Assessment;

/// <summary>What the weights outside tell whoever has a public model of the same shape; of several the most telling counts.</summary>
internal sealed class WeightUnit(ImmutableArray<PublicModelFile> publicModels) : IAttack
{
    private static readonly WeightSettings Defaults = new();

    internal const string Attack = "weights";

    public string Name => Attack;

    public string Settings { get; } = string.Join('\n', publicModels.Select(one => $"{one.Model.Digest} {one.Model.Preprocess}").Prepend($"2 {Defaults with { Threads = 1 }}"));

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        AssessedModel?[] known = publicModels.IsEmpty ? [null] : [.. publicModels.Select(one => one.Model)];
        Cut?[] ends = [null, .. target.Tails];
        return
        [
            .. ends.Select((tail, end) => Of(known.Select((model, place) => (Model: model, Score: WeightAttack.Run(
                Defaults with { Seed = target.Seed, Threads = threads }, model?.Proto, target.Pictures.Fit, target.Pictures.Test, target.Model.Size, target.Model.Proto, target.Cut!, tail,
                model?.Size == target.Model.Size && model.Preprocess != target.Model.Preprocess ? model.Preprocessing : null,
                new PartOfWork(progress, end * known.Length + place, ends.Length * known.Length), cancellation))).MinBy(one => one.Score.Protection ?? 2))),
        ];
    }

    private static Finding Of((AssessedModel? Known, WeightScore Score) worst)
    {
        (AssessedModel? known, WeightScore score) = worst;
        var measures = ImmutableArray.CreateBuilder<Measure>();
        double baseline = score.Baseline.Estimate;
        if (score.SurrogateFidelity is { } surrogate) measures.Add(new Measure("surrogate-fidelity", surrogate, baseline));
        if (score.RefitFidelity is { } refit) measures.Add(new Measure("refitted-surrogate-fidelity", refit, baseline));
        if (score.TaughtTailFidelity is { } taught) measures.Add(new Measure("taught-tail-fidelity", taught, baseline));
        if (score.PublicTaughtTailFidelity is { } publicTaught) measures.Add(new Measure("public-model-taught-tail-fidelity", publicTaught, score.ConstantFidelity.Estimate));
        if (score.PublicFidelity is { } itself) measures.Add(new Measure("public-model-fidelity", itself, score.ConstantFidelity.Estimate));
        if (score.Resolved is { } resolved) measures.Add(new Measure("surrogate-resolves", resolved, 0));
        if (score.Beyond is { } beyond) measures.Add(new Measure("surrogate-alone-right", beyond, Chance: WeightScore.BeyondByChance));
        return new Finding
        {
            Attack = Attack,
            NotRun = null,
            Found = score.Leaks,
            Measures = measures.ToImmutable(),
            Notes = [.. Notes(score, known)],
            Protection = score.Protection is { } protection ? Scores.Of(ProtectionScores.Weights, protection) : Scores.None,
        };
    }

    private static IEnumerable<string> Notes(WeightScore score, AssessedModel? known)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"{100 * score.ShareOutside:0.#} % of {score.Parameters:N0} weights are outside, in clear.");
        if (score.NotCompared is { } why) yield return why;
        if (score.NotRefit is { } reason && known is not null) yield return reason;
        if (score.InsideIsPublic == true) yield return $"All weights inside are those of '{known?.Name}': the part inside keeps no secret.";
        if (score.BestFidelity is { } best) yield return string.Create(CultureInfo.InvariantCulture, $"Put together from '{known?.Name}' and the weights outside, a copy gives the model's first answer for {100 * best.Estimate:0.#} % of pictures; without them {100 * score.Baseline.Estimate:0.#} %.");
    }
}
