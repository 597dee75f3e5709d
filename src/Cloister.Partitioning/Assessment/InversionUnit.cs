using System.Collections.Immutable;
using System.Globalization;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>The verdict on pictures: which of them it was, told from a least-squares reconstruction.</summary>
internal sealed class InversionUnit : IAttack
{
    internal const int KeptPictures = 6;

    private static readonly InversionSettings Defaults = new() { KeptPictures = KeptPictures };

    public string Name => "inversion";

    public string Settings => SettingsText;

    internal static string SettingsText { get; } = $"3 {Defaults with { Threads = 1 }}";

    internal static InversionSettings For(AttackTarget target, int threads) => Defaults with { Seed = target.Seed, Threads = threads };

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        InversionScore score = InversionAttack.Run(For(target, threads), target.Pictures.Fit, target.Pictures.Test, target.Model.Size, target.Model.Proto, target.Cut!, progress, cancellation);
        return [Of(score)];
    }

    private Finding Of(InversionScore score) => new()
    {
        Attack = Name,
        NotRun = null,
        Found = score.Leaks,
        Measures = Measures(score),
        Notes = [$"{score.Decoder}; {score.Rows} cells of {score.FitPictures} pictures fitted, ridge {score.Lambda.ToString("g3", CultureInfo.InvariantCulture)}"],
        Protection = Scores.Of(ProtectionScores.Pictures, score.Protection),
        Pictures = [.. score.Pictures.Select(Thumbnail.Of)],
    };

    internal static ImmutableArray<Measure> Measures(InversionScore score, string prefix = "") =>
    [
        new Measure(prefix + "reidentification", score.ReIdentification, score.BaselineReIdentification.Estimate, score.Chance),
        Measure.Exact(prefix + Measure.ChanceOfAsMany, score.ChanceOfAsMany),
        new Measure(prefix + "psnr", score.Psnr, score.BaselinePsnr.Estimate),
        new Measure(prefix + "ssim", score.Ssim, score.BaselineSsim.Estimate),
        new Measure(prefix + "psnr-gain", score.PsnrGain, 0),
    ];
}

/// <summary>Whether the verdict can be trusted: the same attack where everything is seen, and where nothing is.</summary>
internal sealed class CalibrationUnit : IAttack
{
    public string Name => "calibration";

    public string Settings => InversionUnit.SettingsText;

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        try
        {
            InversionCalibration calibration = InversionAttack.Calibrate(InversionUnit.For(target, threads), target.Pictures.Fit, target.Pictures.Test, target.Model.Size, target.Model.Proto, cancellation);
            return [Of(true, [.. InversionUnit.Measures(calibration.Whole, "input: "), .. InversionUnit.Measures(calibration.Noise, "noise: ")], "From the model's input the attack finds every picture; from noise none beyond chance.")];
        }
        catch (PartitioningException failure) when (failure.Error == PartitioningError.CalibrationFailed)
        {
            return [Of(false, [], failure.Message)];
        }
    }

    internal static Finding Of(bool passed, ImmutableArray<Measure> measures, string note) => new()
    {
        Attack = "calibration",
        NotRun = null,
        Found = passed,
        Measures = measures,
        Notes = [note],
        Protection = Scores.None,
    };
}
