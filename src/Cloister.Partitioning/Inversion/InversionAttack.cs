using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// Rebuilds pictures from the tensors of a cut, as anybody can who has a few hundred pictures and runs the part before the cut on them: a
/// linear decoder, in closed form. Its verdict is whether the reconstructions tell the pictures apart.
/// </summary>
public static class InversionAttack
{
    /// <summary>Attacks one cut.</summary>
    /// <param name="settings">How.</param>
    /// <param name="fit">Pictures to learn from.</param>
    /// <param name="test">Other pictures, to rebuild.</param>
    /// <param name="size">Their size.</param>
    /// <param name="model">The whole model; its one input takes a picture.</param>
    /// <param name="cut">Where somebody outside looks; several tensors are tried one by one and together, and held-out pictures choose.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancellation">Stops the attack.</param>
    /// <exception cref="ArgumentException">A picture is not of the size, or a setting is below its least.</exception>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.TooFewSamples"/>, <see cref="PartitioningError.SamplesOverlap"/>, <see cref="PartitioningError.FeaturesRefused"/>,
    /// <see cref="PartitioningError.CutRefused"/>, <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="OnnxRuntimeException">The model does not run, or there is no such tensor.</exception>
    public static InversionScore Run(
        InversionSettings settings, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, ModelProto model, Cut cut,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        settings.Demand();
        PictureDemands.Demand(fit, test, size);
        cancellation.ThrowIfCancellationRequested();
        using var source = new TensorSource(model, cut.Tensors, size, fit[0], settings.Threads);
        return Run(settings, fit, test, size, source, progress, cancellation);
    }

    /// <summary>
    /// Attacks the model's input itself, and noise. Whoever relies on <see cref="Run(InversionSettings, IReadOnlyList{AssessedPicture}, IReadOnlyList{AssessedPicture}, PictureSize, ModelProto, Cut, IProgress{double}, CancellationToken)"/>
    /// calls this first, with the same settings, pictures and model: an attack that fails here says nothing anywhere.
    /// </summary>
    /// <param name="settings">How.</param>
    /// <param name="fit">Pictures to learn from.</param>
    /// <param name="test">Other pictures, to rebuild.</param>
    /// <param name="size">Their size.</param>
    /// <param name="model">The whole model; its one input takes a picture.</param>
    /// <param name="cancellation">Stops the attack.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.CalibrationFailed"/>, and those of an attack.</exception>
    public static InversionCalibration Calibrate(
        InversionSettings settings, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, ModelProto model,
        CancellationToken cancellation = default)
    {
        settings.Demand();
        PictureDemands.Demand(fit, test, size);
        cancellation.ThrowIfCancellationRequested();
        settings = settings with { KeptPictures = 0 };
        // Before IR version 4 initialisers are listed as inputs too.
        var weights = model.Graph.Initializers.Select(weight => weight.Name).ToHashSet(StringComparer.Ordinal);
        if (model.Graph.Inputs.Where(input => !weights.Contains(input.Name)).ToArray() is not [{ } input])
            throw new PartitioningException(PartitioningError.ModelRefused, "The model must have one input.");
        using var whole = new TensorSource(model, [input.Name], size, fit[0], settings.Threads);
        using var noise = new NoiseSource(size, settings.Seed);
        var calibration = new InversionCalibration(Run(settings, fit, test, size, whole, null, cancellation), Run(settings with { Confidence = InversionCalibration.Confidence }, fit, test, size, noise, null, cancellation));
        return calibration.Failure is { } failure ? throw new PartitioningException(PartitioningError.CalibrationFailed, failure) : calibration;
    }

    /// <summary>Rebuilds pictures and does not judge them: where other searches begin.</summary>
    internal static float[][] Rebuild(
        InversionSettings settings, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, ModelProto model, Cut cut,
        IProgress<double>? progress, CancellationToken cancellation)
    {
        using var source = new TensorSource(model, cut.Tensors, size, fit[0], settings.Threads);
        using var product = new MatrixProduct(settings.Threads);
        PictureDecoder decoder = Best(settings, fit, size, source, Mean(fit, size), product, new Part(progress, 0, 1), cancellation);
        decoder.Complete(cancellation);
        return [.. test.Select(picture => decoder.Rebuild(source.Read(picture)))];
    }

    internal static InversionScore Run(
        InversionSettings settings, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, FeatureSource source,
        IProgress<double>? progress, CancellationToken cancellation)
    {
        using var product = new MatrixProduct(settings.Threads);
        float[] mean = Mean(fit, size);
        PictureDecoder decoder = Best(settings, fit, size, source, mean, product, new Part(progress, 0, 0.6), cancellation);
        decoder.Complete(cancellation);
        var judge = new ReconstructionJudge(settings, fit.Count, test, size, mean, source.Tensors);
        InversionScore score = judge.Judge(decoder.Describe(source), decoder.Rows, decoder.Lambda, Rebuilt(), cancellation);
        progress?.Report(0.8);
        if (!decoder.IsWhole && score.ReIdentification.Estimate < 1 && WholeDecoder.NumbersOf(source) <= WholeDecoder.MostNumbers)
        {
            // Places may have been moved about on purpose; whichever finds more is what an attacker has.
            var whole = new WholeDecoder(settings, product, size, source, mean);
            whole.Fit(fit, cancellation);
            InversionScore other = judge.Judge(whole.Description, whole.Rows, whole.Lambda, whole.Rebuild(test, cancellation), cancellation);
            if (other.ReIdentification.Estimate > score.ReIdentification.Estimate) score = other;
        }
        progress?.Report(1);
        return score;

        // Runs one by one, each on all threads; what follows them side by side, a picture a thread.
        float[][] Rebuilt()
        {
            var pictures = new float[test.Count][];
            for (int first = 0; first < test.Count; first += settings.Threads)
            {
                int start = first, end = Math.Min(first + settings.Threads, test.Count);
                float[][][] seen = new float[end - start][][];
                for (int i = start; i < end; i++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    seen[i - start] = source.Read(test[i]);
                }
                ParallelWork.For(end - start, settings.Threads, i => pictures[start + i] = decoder.Rebuild(seen[i]), cancellation);
                progress?.Report(0.6 + 0.2 * end / test.Count);
            }
            return pictures;
        }
    }

    // Each tensor alone and all together; an attacker has them all and keeps what works on pictures that were not fitted.
    private static PictureDecoder Best(
        InversionSettings settings, IReadOnlyList<AssessedPicture> fit, PictureSize size, FeatureSource source, float[] mean, MatrixProduct product, Part progress,
        CancellationToken cancellation)
    {
        int count = source.Tensors.Length;
        int[][] choices = count == 1 ? [[0]] : [.. Enumerable.Range(0, count).Select(tensor => new[] { tensor }), [.. Enumerable.Range(0, count)]];
        PictureDecoder? best = null;
        double least = double.PositiveInfinity;
        PartitioningException? refused = null;
        for (int i = 0; i < choices.Length; i++)
        {
            var decoder = PictureDecoder.Create(settings, product, size, source, choices[i], mean);
            try
            {
                decoder.Fit(source, fit, new Part(progress, (double)i / choices.Length, 1.0 / choices.Length), cancellation);
            }
            catch (PartitioningException one) when (one.Error == PartitioningError.FeaturesRefused && choices[i].Length < count)
            {
                // One of several tensors may be constant; together they are fitted or refused.
                refused = one;
                continue;
            }
            double error = choices.Length == 1 ? 0 : decoder.HeldOutError(source, fit, cancellation);
            if (error < least)
                (best, least) = (decoder, error);
        }
        return best ?? throw refused!;
    }

    internal static float[] Mean(IReadOnlyList<AssessedPicture> pictures, PictureSize size)
    {
        double[] sum = new double[size.Elements];
        foreach (AssessedPicture picture in pictures)
            for (int i = 0; i < sum.Length; i++)
                sum[i] += picture.Pixels[i];
        return [.. sum.Select(value => (float)(value / pictures.Count))];
    }

    private sealed class Part(IProgress<double>? whole, double start, double length) : IProgress<double>
    {
        public void Report(double value) => whole?.Report(start + length * value);
    }
}
