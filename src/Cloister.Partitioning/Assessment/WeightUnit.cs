using System.Collections.Immutable;
using System.Globalization;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Weights;

namespace Cloister.Partitioning.Assessment;

/// <summary>What the weights outside tell whoever has a public model of the same shape; of several the most telling counts.</summary>
internal sealed class WeightUnit(ImmutableArray<PublicModelFile> publicModels) : IAttack
{
    private static readonly WeightSettings Defaults = new();

    public string Name => "weights";

    public string Settings { get; } = string.Join('\n', publicModels.Select(one => one.Model.Digest).Prepend($"1 {Defaults with { Threads = 1 }}"));

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        AssessedModel?[] known = publicModels.IsEmpty ? [null] : [.. publicModels.Select(one => one.Model)];
        var found = known.Select((model, place) => (Model: model, Score: WeightAttack.Run(Defaults with { Seed = target.Seed, Threads = threads }, model?.Proto,
            target.Pictures.Fit, target.Pictures.Test, target.Model.Size, target.Model.Proto, target.Cut!,
            progress: new Part(progress, place, known.Length), cancellation: cancellation)));
        (AssessedModel? worst, WeightScore score) = found.MinBy(one => one.Score.Protection ?? 2);
        var measures = ImmutableArray.CreateBuilder<Measure>();
        double baseline = score.Baseline.Estimate;
        if (score.SurrogateFidelity is { } surrogate) measures.Add(new Measure("surrogate-fidelity", surrogate, baseline));
        if (score.RefitFidelity is { } refit) measures.Add(new Measure("refitted-surrogate-fidelity", refit, baseline));
        if (score.PublicFidelity is { } itself) measures.Add(new Measure("public-model-fidelity", itself, score.ConstantFidelity.Estimate));
        return
        [
            new Finding
            {
                Attack = Name,
                NotRun = null,
                Found = score.Leaks,
                Measures = measures.ToImmutable(),
                Notes = [.. Notes(score, worst)],
                Protection = score.Protection is { } protection ? Scores.Of(ProtectionScores.Weights, protection) : Scores.None,
            },
        ];
    }

    private static IEnumerable<string> Notes(WeightScore score, AssessedModel? known)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"{100 * score.ShareOutside:0.#} % of {score.Parameters:N0} weights are outside, in clear.");
        if (score.NotCompared is { } why) yield return why;
        if (score.NotRefit is { } reason && known is not null) yield return reason;
        if (score.InsideIsPublic == true) yield return $"All weights inside are those of '{known?.Name}': the part inside keeps no secret.";
        if (score.BestFidelity is { } best) yield return string.Create(CultureInfo.InvariantCulture, $"Put together from '{known?.Name}' and the weights outside, a copy gives the model's first answer for {100 * best.Estimate:0.#} % of pictures; without them {100 * score.Baseline.Estimate:0.#} %.");
    }

    private sealed class Part(IProgress<double> whole, int place, int parts) : IProgress<double>
    {
        public void Report(double value) => whole.Report((place + value) / parts);
    }
}
