using System.Collections.Immutable;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Inversion;

/// <summary>Says what reconstructions of the test pictures are worth.</summary>
/// <param name="settings">Threads, seed, confidence, and how many pictures are kept.</param>
/// <param name="fitted">Pictures that were learned from.</param>
/// <param name="test">The originals.</param>
/// <param name="size">Their size.</param>
/// <param name="mean">The mean of the pictures that were learned from.</param>
/// <param name="tensors">The tensors of the cut.</param>
internal sealed class ReconstructionJudge(InversionSettings settings, int fitted, IReadOnlyList<AssessedPicture> test, PictureSize size, float[] mean, ImmutableArray<string> tensors)
{
    private readonly ReIdentification _identification = new(size, mean, test);

    /// <summary>Judges one reconstruction a test picture.</summary>
    public InversionScore Judge(string decoder, long rows, double lambda, float[][] rebuilt, CancellationToken cancellation)
    {
        double[] psnr = new double[test.Count], ssim = new double[test.Count], basePsnr = new double[test.Count], baseSsim = new double[test.Count];
        bool[] found = new bool[test.Count], baseFound = new bool[test.Count];
        var kept = new ReconstructedPicture?[test.Count];
        ParallelWork.For(test.Count, settings.Threads, i =>
        {
            (float[] picture, float[] original) = (rebuilt[i], test[i].Pixels);
            (psnr[i], ssim[i], found[i]) = (PictureFidelity.Psnr(picture, original), PictureFidelity.Ssim(picture, original, size), _identification.Finds(i, picture));
            (basePsnr[i], baseSsim[i], baseFound[i]) = (PictureFidelity.Psnr(mean, original), PictureFidelity.Ssim(mean, original, size), _identification.Finds(i, mean));
            if (i < settings.KeptPictures)
                kept[i] = new ReconstructedPicture(test[i].Name, ReconstructedPicture.Png(original, size), ReconstructedPicture.Png(picture, size));
        }, cancellation);
        Interval Of(IEnumerable<double> values) => Bootstrap.Mean([.. values], settings.Seed, confidence: settings.Confidence);
        Interval Share(bool[] hits) => Proportion.Wilson(hits.Count(hit => hit), hits.Length, settings.Confidence);
        return new InversionScore
        {
            Tensors = tensors,
            Decoder = decoder,
            FitPictures = fitted,
            TestPictures = test.Count,
            Rows = rows,
            Lambda = lambda,
            Psnr = Of(psnr),
            Ssim = Of(ssim),
            ReIdentification = Share(found),
            BaselinePsnr = Of(basePsnr),
            BaselineSsim = Of(baseSsim),
            BaselineReIdentification = Share(baseFound),
            PsnrGain = Of(psnr.Zip(basePsnr, (own, other) => own - other)),
            Chance = 1.0 / test.Count,
            Pictures = [.. kept.OfType<ReconstructedPicture>()],
        };
    }
}
