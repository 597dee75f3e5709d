using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Transposed;

/// <summary>
/// How a model's input comes from a picture, found from pictures of which both are given: every plane of the input is a plane of the
/// picture, scaled and moved (all named preprocessings are). Preprocessing is no secret.
/// </summary>
/// <param name="Plane">Which plane of the picture each plane of the input shows.</param>
/// <param name="Scale">What it is multiplied by.</param>
/// <param name="Shift">What is added then.</param>
internal sealed record PixelMap(int[] Plane, float[] Scale, float[] Shift)
{
    // Of the plane's own spread; rounding to 32 bits is far below.
    private const double Tolerance = 1e-3;

    /// <exception cref="PartitioningException"><see cref="PartitioningError.ModelRefused"/>: the input is made in another way, or the pictures are all of one colour.</exception>
    public static PixelMap Of(IReadOnlyList<AssessedPicture> pictures, PictureSize size)
    {
        var map = new PixelMap(new int[size.Channels], new float[size.Channels], new float[size.Channels]);
        for (int channel = 0; channel < size.Channels; channel++)
        {
            double best = Tolerance * Tolerance;
            for (int plane = 0; plane < size.Channels; plane++)
            {
                (double scale, double shift, double left) = Fit(pictures, size, channel, plane);
                if (!(left < best) || scale == 0)
                    continue;
                (best, map.Plane[channel], map.Scale[channel], map.Shift[channel]) = (left, plane, (float)scale, (float)shift);
            }
        }
        return map.Scale.All(scale => scale != 0) && map.Plane.Distinct().Count() == size.Channels
            ? map
            : throw new PartitioningException(PartitioningError.ModelRefused, "The model's input is not the pictures' planes, scaled and moved, or all pictures are of one colour.");
    }

    /// <summary>Writes the input of a picture.</summary>
    public void ToInput(ReadOnlySpan<float> pixels, Span<float> input)
    {
        int plane = input.Length / Plane.Length;
        for (int i = 0; i < input.Length; i++)
            input[i] = pixels[Plane[i / plane] * plane + i % plane] * Scale[i / plane] + Shift[i / plane];
    }

    /// <summary>Writes the gradient by the picture of what has the given gradient by the input.</summary>
    public void ToPixels(ReadOnlySpan<float> gradient, Span<float> pixels)
    {
        int plane = gradient.Length / Plane.Length;
        for (int i = 0; i < gradient.Length; i++)
            pixels[Plane[i / plane] * plane + i % plane] = gradient[i] * Scale[i / plane];
    }

    // Least squares of one plane on another; what is left is the share of the variance that the line does not explain.
    private static (double Scale, double Shift, double Left) Fit(IReadOnlyList<AssessedPicture> pictures, PictureSize size, int channel, int plane)
    {
        int count = size.Height * size.Width;
        double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
        foreach (AssessedPicture picture in pictures)
        {
            for (int i = 0; i < count; i++)
            {
                double pixel = picture.Pixels[plane * count + i], value = picture.Input[channel * count + i];
                (n, x, y, xx, xy, yy) = (n + 1, x + pixel, y + value, xx + pixel * pixel, xy + pixel * value, yy + value * value);
            }
        }
        double varX = xx - x * x / n, varY = yy - y * y / n, both = xy - x * y / n;
        if (!(varX > 1e-9 * n) || !(varY > 0))
            return (0, 0, 1);
        double scale = both / varX;
        return (scale, (y - scale * x) / n, Math.Max(0, 1 - both * both / (varX * varY)));
    }
}
