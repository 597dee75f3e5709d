using System.Collections.Immutable;
using System.Globalization;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Tokens;

namespace Cloister.Partitioning.Assessment;

/// <summary>The verdict on texts: which tokens they have.</summary>
/// <param name="texts">Texts of token ids; null to draw them.</param>
internal sealed class TokenUnit(IReadOnlyList<int[]>? texts) : IAttack
{
    internal static readonly TokenSettings Defaults = new();

    public string Name => "tokens";

    public string Settings => SettingsText;

    internal static string SettingsText { get; } = $"3 {Defaults with { Threads = 1 }}";

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        TokenScore score = TokenAttack.Run(Defaults with { Seed = target.Seed, Threads = threads }, target.Model.Proto, target.Cut!, texts, progress, cancellation);
        string of = score.BagOfWords ? "a text's different tokens, without their places" : "tokens, each at its place";
        return
        [
            new Finding
            {
                Attack = Name,
                NotRun = null,
                Found = score.Leaks,
                Measures = [new Measure("tokens", score.Accuracy, Chance: score.Chance), Measure.Exact(Measure.ChanceOfAsMany, score.ChanceOfAsMany)],
                Notes = [string.Create(CultureInfo.InvariantCulture, $"{100 * score.Accuracy.Estimate:0.#} % of {of}, of {score.Vocabulary} to choose from, in {score.TestTexts} texts of {score.Length}; {score.Decoder}; {score.FitTexts} texts fitted")],
                Protection = Scores.Of(ProtectionScores.Tokens, score.Protection),
            },
        ];
    }
}

/// <summary>Whether the verdict on texts can be trusted.</summary>
internal sealed class TokenCalibrationUnit : IAttack
{
    public string Name => "calibration";

    public string Settings => TokenUnit.SettingsText;

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        try
        {
            TokenCalibration calibration = TokenAttack.Calibrate(TokenUnit.Defaults with { Seed = target.Seed, Threads = threads }, target.Model.Proto, cancellation);
            return [CalibrationUnit.Of(true, [new Measure("embeddings: tokens", calibration.Whole.Accuracy, Chance: calibration.Whole.Chance), new Measure("noise: tokens", calibration.Noise.Accuracy, Chance: calibration.Noise.Chance)],
                "From the tokens' own embeddings the attack finds every token; from noise none beyond chance.")];
        }
        catch (PartitioningException failure) when (failure.Error == PartitioningError.CalibrationFailed)
        {
            return [CalibrationUnit.Of(false, [], failure.Message)];
        }
    }
}
