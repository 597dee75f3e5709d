using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Transposed;

/// <summary>Looks for the picture behind features: down the gradient of their distance and of the picture's roughness.</summary>
internal sealed class PictureSearch(FeatureMatching matching, PixelMap map, PictureSize size, float[] mean, GradientInversionSettings settings)
{
    // Roughness counts as it does in a picture of so many rows and columns.
    private const double RoughnessSide = 32;

    /// <summary>Finds a picture; gives it and the share of the features' distance from the mean picture's that is left.</summary>
    /// <param name="input">The input whose features are seen; nothing else of it is looked at.</param>
    /// <param name="guess">Where the first search begins; null for the mean picture.</param>
    /// <param name="lot">Where restarts begin.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a feature is not finite.</exception>
    public (float[] Pixels, double Left) Find(float[] input, float[]? guess, long lot, CancellationToken cancellation)
    {
        OrtTensor[] wanted = matching.Features(input);
        try
        {
            var random = new SplitMix64(lot);
            (float[] Pixels, double Left) best = ([], double.PositiveInfinity);
            for (int start = 0; start < settings.Restarts; start++)
            {
                float[] pixels = [.. start == 0 && guess is not null ? guess : mean];
                float reach = start == 0 ? 0 : 0.25f;
                for (int i = 0; i < pixels.Length; i++)
                    pixels[i] = Math.Clamp(pixels[i] + reach * (random.Below(2001) / 1000f - 1), 0, 1);
                double left = Descend(pixels, wanted, cancellation);
                if (left < best.Left)
                    best = (pixels, left);
            }
            return best;
        }
        finally
        {
            foreach (OrtTensor tensor in wanted)
                tensor.Dispose();
        }
    }

    private double Descend(float[] pixels, OrtTensor[] wanted, CancellationToken cancellation)
    {
        float[] input = new float[size.Elements], gradient = new float[size.Elements];
        using FeatureMatching.Search search = matching.Towards(input, wanted);
        if (!Weigh(search, wanted))
            return 0;
        var adam = new Adam(pixels.Length);
        // The finer a picture, the smaller its steps.
        double rough = settings.TotalVariation * Math.Sqrt((double)size.Height * size.Width) / RoughnessSide;
        double left = 1;
        for (int i = 0; i <= settings.Iterations; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            map.ToInput(pixels, input);
            left = search.Step();
            if (!double.IsFinite(left))
                throw NotFinite();
            if (i == settings.Iterations || left == 0)
                break;
            map.ToPixels(search.Gradient, gradient);
            // At a root of zero the slope has no end: such a pixel goes by its roughness alone.
            foreach (ref float slope in gradient.AsSpan())
                slope = float.IsFinite(slope) ? slope : 0;
            double fall = 0.5 * (1 + Math.Cos(Math.PI * i / settings.Iterations));
            TotalVariation.Add(pixels, size, (float)(rough * fall * fall), gradient);
            adam.Step(pixels, gradient, (float)(settings.StepLength * fall));
        }
        return left;
    }

    // Every tensor's distance counts as the share that is left of the mean picture's, so that tensors of large values do not outweigh
    // others. False where all features are the mean picture's, so that there is nothing to go by.
    private bool Weigh(FeatureMatching.Search search, OrtTensor[] wanted)
    {
        float[] input = new float[size.Elements];
        map.ToInput(mean, input);
        OrtTensor[] start = matching.Features(input);
        try
        {
            bool any = false;
            for (int i = 0; i < wanted.Length; i++)
            {
                double distance = 0;
                ReadOnlySpan<float> here = start[i].Span<float>(), there = wanted[i].Span<float>();
                for (int j = 0; j < here.Length; j++)
                    distance += ((double)here[j] - there[j]) * ((double)here[j] - there[j]);
                if (!double.IsFinite(distance))
                    throw NotFinite();
                search.Weigh(i, distance > 0 ? 1 / (wanted.Length * distance) : 0);
                any |= distance > 0;
            }
            return any;
        }
        finally
        {
            foreach (OrtTensor tensor in start)
                tensor.Dispose();
        }
    }

    private static PartitioningException NotFinite() =>
        new(PartitioningError.FeaturesRefused, "A feature is not a number or is infinite; nothing can be said of a cut with such tensors.");
}
