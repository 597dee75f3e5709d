using System.Collections.Immutable;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Transposed;

namespace Cloister.Partitioning.Assessment;

/// <summary>Pictures sought by gradient descent through the part inside, by somebody who knows it.</summary>
internal sealed class GradientUnit : IAttack
{
    private static readonly GradientInversionSettings Defaults = new();

    public string Name => "gradient";

    public string Settings { get; } = $"2 {For(0, 1)}";

    public ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation)
    {
        GradientScore score = GradientInversion.Run(For(target.Seed, threads), target.Pictures.Fit, target.Pictures.Test, target.Model.Size, target.Model.Proto, target.Cut!, progress, cancellation);
        return
        [
            new Finding
            {
                Attack = Name,
                NotRun = null,
                Found = score.Leaks,
                Measures =
                [
                    new Measure("reidentification", score.ReIdentification, score.BaselineReIdentification.Estimate, score.Chance),
                    Measure.Exact(Measure.ChanceOfAsMany, score.ChanceOfAsMany),
                    new Measure("psnr", score.Psnr, score.BaselinePsnr.Estimate),
                    new Measure("ssim", score.Ssim, score.BaselineSsim.Estimate),
                    new Measure("psnr-gain", score.PsnrGain, 0),
                    new Measure("distance-left", score.DistanceLeft, 1),
                ],
                Notes = [$"{score.Pictures} pictures sought among {score.Candidates}, {score.Iterations} steps each, from the best start that the attacker has. So few make a wide interval, and the score takes its worse end.", GradientScore.Warning],
                Protection = Scores.Of(ProtectionScores.Pictures, score.Protection),
                Pictures = [.. score.Shown.Select(Thumbnail.Of)],
            },
        ];
    }

    private static GradientInversionSettings For(int seed, int threads) => Defaults with { Seed = seed, Threads = threads, Decoder = Defaults.Decoder is { } decoder ? decoder with { Seed = seed, Threads = threads } : null };
}
