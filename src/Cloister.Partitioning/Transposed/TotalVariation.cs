using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Transposed;

/// <summary>How rough a picture is: the mean over places and planes of the length of the step to the right and down, rounded off at zero.</summary>
internal static class TotalVariation
{
    private const float Round = 1e-4f;

    /// <summary>Adds <paramref name="weight"/> times its gradient, and gives <paramref name="weight"/> times its value.</summary>
    public static double Add(ReadOnlySpan<float> pixels, PictureSize size, float weight, Span<float> gradient)
    {
        double sum = 0;
        float share = weight / pixels.Length;
        for (int channel = 0; channel < size.Channels; channel++)
        {
            for (int y = 0; y < size.Height; y++)
            {
                int row = (channel * size.Height + y) * size.Width, below = y + 1 < size.Height ? size.Width : 0;
                for (int at = row; at < row + size.Width; at++)
                {
                    int beside = at + 1 < row + size.Width ? 1 : 0;
                    float right = pixels[at + beside] - pixels[at], down = pixels[at + below] - pixels[at];
                    float length = MathF.Sqrt(right * right + down * down + Round);
                    sum += length;
                    (right, down) = (share * right / length, share * down / length);
                    gradient[at + beside] += right;
                    gradient[at + below] += down;
                    gradient[at] -= right + down;
                }
            }
        }
        return sum * share;
    }
}
