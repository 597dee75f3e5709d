using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Transposed;

/// <summary>
/// Rebuilds pictures from the tensors of a cut as somebody can who knows FrontNet, such as where it is a public backbone: looks for the
/// picture with these features, from what a linear decoder gives on, down the gradient that <see cref="TransposedGraph"/> writes, preferring
/// smooth pictures.
/// </summary>
public static class GradientInversion
{
    // The share of the work that fitting the linear decoder is, about.
    private const double Decoding = 0.2;

    /// <summary>Attacks one cut. The same settings and pictures give the same score on any number of threads.</summary>
    /// <param name="settings">How long.</param>
    /// <param name="fit">Pictures that an attacker has: a linear decoder is fitted to them, whose pictures are where searches begin.</param>
    /// <param name="test">Other pictures; the first of them are searched for, and recognised among all of them.</param>
    /// <param name="size">Their size.</param>
    /// <param name="model">The whole model; its one input takes a picture.</param>
    /// <param name="cut">Where somebody outside looks.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancellation">Stops the attack.</param>
    /// <exception cref="ArgumentException">A picture is not of the size, or a setting is none.</exception>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.GradientRefused"/>: an operator of FrontNet has no gradient here, the text names it;
    /// <see cref="PartitioningError.TooFewSamples"/>, <see cref="PartitioningError.SamplesOverlap"/>, <see cref="PartitioningError.FeaturesRefused"/>,
    /// <see cref="PartitioningError.CutRefused"/>, <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="OnnxRuntimeException">The model does not run.</exception>
    public static GradientScore Run(
        GradientInversionSettings settings, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, ModelProto model, Cut cut,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Iterations, 1, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Restarts, 1, nameof(settings));
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.MaximumPictures, 1, nameof(settings));
        PictureDemands.Demand(fit, test, size);
        float[] mean = InversionAttack.Mean(fit, size);
        using FeatureMatching matching = FeatureMatching.Open(model, cut.Tensors, size);
        var search = new PictureSearch(matching, PixelMap.Of([.. fit.Take(16)], size), size, mean, settings);
        var identification = new ReIdentification(size, mean, test);
        var results = new Result[Math.Min(settings.MaximumPictures, test.Count)];
        float[][]? guesses = Guesses(settings, fit, [.. test.Take(results.Length)], size, WideModel.Of(model), cut, new Part(progress, 0, Decoding), cancellation);
        int done = 0;
        ParallelWork.For(results.Length, settings.Threads, i =>
        {
            (float[] pixels, double left) = search.Find(test[i].Input, guesses?[i], Lot(settings.Seed, i), cancellation);
            results[i] = new Result(
                left, Judge(pixels, test[i].Pixels, size, identification.Finds(i, pixels)), Judge(mean, test[i].Pixels, size, identification.Finds(i, mean)),
                i < settings.KeptPictures ? new ReconstructedPicture(test[i].Name, ReconstructedPicture.Png(test[i].Pixels, size), ReconstructedPicture.Png(pixels, size)) : null);
            progress?.Report(Decoding + (1 - Decoding) * Interlocked.Increment(ref done) / results.Length);
        }, cancellation);

        Interval Of(Func<Result, double> value) => Bootstrap.Mean([.. results.Select(value)], settings.Seed, confidence: settings.Confidence);
        Interval Share(Func<Result, bool> hit) => Proportion.Wilson(results.Count(hit), results.Length, settings.Confidence);
        return new GradientScore
        {
            Tensors = cut.Tensors,
            Iterations = settings.Iterations,
            Restarts = settings.Restarts,
            TotalVariation = settings.TotalVariation,
            Pictures = results.Length,
            Candidates = test.Count,
            DistanceLeft = Of(result => result.Left),
            Psnr = Of(result => result.Own.Psnr),
            Ssim = Of(result => result.Own.Ssim),
            ReIdentification = Share(result => result.Own.Found),
            BaselinePsnr = Of(result => result.Mean.Psnr),
            BaselineSsim = Of(result => result.Mean.Ssim),
            BaselineReIdentification = Share(result => result.Mean.Found),
            PsnrGain = Of(result => result.Own.Psnr - result.Mean.Psnr),
            Chance = 1.0 / test.Count,
            Shown = [.. results.Select(result => result.Shown).OfType<ReconstructedPicture>()],
        };
    }

    private static Quality Judge(float[] picture, float[] original, PictureSize size, bool found) =>
        new(PictureFidelity.Psnr(picture, original), PictureFidelity.Ssim(picture, original, size), found);

    private static long Lot(int seed, int picture) => ((long)seed << 32) + picture;

    // Features that no linear decoder can be fitted to are searched from the mean picture.
    private static float[][]? Guesses(
        GradientInversionSettings settings, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, ModelProto model, Cut cut,
        IProgress<double> progress, CancellationToken cancellation)
    {
        if (settings.Decoder is null)
            return null;
        try
        {
            return InversionAttack.Rebuild(settings.Decoder with { Seed = settings.Seed, Threads = settings.Threads }, fit, test, size, model, cut, progress, cancellation);
        }
        catch (PartitioningException none) when (none.Error is PartitioningError.FeaturesRefused or PartitioningError.CutRefused)
        {
            return null;
        }
    }

    private sealed record Quality(double Psnr, double Ssim, bool Found);

    private sealed record Result(double Left, Quality Own, Quality Mean, ReconstructedPicture? Shown);

    private sealed class Part(IProgress<double>? whole, double start, double length) : IProgress<double>
    {
        public void Report(double value) => whole?.Report(start + length * value);
    }
}
