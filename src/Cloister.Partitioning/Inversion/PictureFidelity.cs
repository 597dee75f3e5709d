using System.Numerics;
using System.Runtime.InteropServices;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>How near one picture is to another. Both are planes of [channels, height, width], 0 to 1.</summary>
public static class PictureFidelity
{
    /// <summary>Peak signal-to-noise ratio is not told beyond this, in decibels: the rest is rounding.</summary>
    public const double PsnrLimit = 100;

    private const int Window = 11;
    private const float C1 = 0.01f * 0.01f, C2 = 0.03f * 0.03f;

    /// <summary>Peak signal-to-noise ratio in decibels, the peak being 1.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Psnr(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length || a.IsEmpty)
            throw new ArgumentException($"Pictures of {a.Length} and {b.Length} numbers cannot be compared.");
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return Math.Min(PsnrLimit, -10 * Math.Log10(sum / a.Length + 1e-300));
    }

    /// <summary>
    /// Structural similarity (Z. Wang et al., IEEE TIP 13, 2004): Gaussian window of 11 x 11 with deviation 1.5, K1 = 0.01, K2 = 0.03, the
    /// mean over all whole windows and all channels. The window is as large as the picture where that is smaller.
    /// </summary>
    /// <exception cref="ArgumentException">The lengths are not those of the size.</exception>
    public static double Ssim(ReadOnlySpan<float> a, ReadOnlySpan<float> b, PictureSize size)
    {
        if (a.Length != b.Length || a.Length != size.Elements)
            throw new ArgumentException($"Pictures of {a.Length} and {b.Length} numbers are not of {size}.");
        float[] down = Gaussian(Math.Min(Window, size.Height)), along = Gaussian(Math.Min(Window, size.Width));
        int plane = size.Height * size.Width, rows = size.Height - down.Length + 1, columns = size.Width - along.Length + 1;
        float[] product = new float[plane], scratch = new float[rows * size.Width];
        float[][] means = [.. Enumerable.Range(0, 5).Select(_ => new float[rows * columns])];
        double sum = 0;
        for (int channel = 0; channel < size.Channels; channel++)
        {
            ReadOnlySpan<float> x = a.Slice(channel * plane, plane), y = b.Slice(channel * plane, plane);
            Blur(x, size.Width, down, along, scratch, means[0]);
            Blur(y, size.Width, down, along, scratch, means[1]);
            Blur(Times(x, x, product), size.Width, down, along, scratch, means[2]);
            Blur(Times(y, y, product), size.Width, down, along, scratch, means[3]);
            Blur(Times(x, y, product), size.Width, down, along, scratch, means[4]);
            for (int i = 0; i < means[0].Length; i++)
            {
                float mx = means[0][i], my = means[1][i], vx = means[2][i] - mx * mx, vy = means[3][i] - my * my, both = means[4][i] - mx * my;
                sum += (2 * mx * my + C1) * (2 * both + C2) / ((mx * mx + my * my + C1) * (vx + vy + C2));
            }
        }
        return sum / ((double)size.Channels * rows * columns);
    }

    private static void Blur(ReadOnlySpan<float> plane, int width, float[] down, float[] along, float[] scratch, float[] result)
    {
        int rows = scratch.Length / width, columns = width - along.Length + 1;
        scratch.AsSpan().Clear();
        result.AsSpan().Clear();
        for (int tap = 0; tap < down.Length; tap++)
            AddScaled(plane.Slice(tap * width, rows * width), down[tap], scratch);
        for (int row = 0; row < rows; row++)
            for (int tap = 0; tap < along.Length; tap++)
                AddScaled(scratch.AsSpan(row * width + tap, columns), along[tap], result.AsSpan(row * columns, columns));
    }

    private static void AddScaled(ReadOnlySpan<float> source, float factor, Span<float> target)
    {
        Span<Vector<float>> wide = MemoryMarshal.Cast<float, Vector<float>>(target);
        ReadOnlySpan<Vector<float>> from = MemoryMarshal.Cast<float, Vector<float>>(source);
        for (int i = 0; i < wide.Length; i++)
            wide[i] += from[i] * factor;
        for (int i = wide.Length * Vector<float>.Count; i < target.Length; i++)
            target[i] += source[i] * factor;
    }

    private static float[] Times(ReadOnlySpan<float> x, ReadOnlySpan<float> y, float[] product)
    {
        for (int i = 0; i < product.Length; i++)
            product[i] = x[i] * y[i];
        return product;
    }

    private static float[] Gaussian(int taps)
    {
        double[] weights = [.. Enumerable.Range(0, taps).Select(i => Math.Exp(-Math.Pow(i - (taps - 1) / 2.0, 2) / (2 * 1.5 * 1.5)))];
        return [.. weights.Select(weight => (float)(weight / weights.Sum()))];
    }
}
