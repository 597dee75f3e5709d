using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Heuristic;

/// <summary>Planes of numbers as pictures that people, and classifiers, look at.</summary>
internal static class PixelSpace
{
    /// <summary>A picture of an assessment, 8 bits a channel; luma becomes grey.</summary>
    public static Picture ToPicture(ReadOnlySpan<float> pixels, PictureSize size)
    {
        if (pixels.Length != size.Elements || size.Channels is not (1 or 3))
            throw new ArgumentException($"A picture of {size} has {size.Elements} values in 1 or 3 planes, not {pixels.Length}.", nameof(pixels));
        int plane = size.Height * size.Width;
        var rgb = new byte[3 * plane];
        for (int i = 0; i < plane; i++)
            for (int channel = 0; channel < 3; channel++)
                rgb[3 * i + channel] = ToByte(pixels[(size.Channels == 1 ? 0 : channel) * plane + i]);
        return new Picture(size.Width, size.Height, rgb);
    }

    /// <summary>
    /// A feature map projected to pixel space: its least value black, its greatest white, scaled to the given size between the four
    /// nearest values (centres at halves, edges repeat), grey. A constant map has no least and greatest: it is black.
    /// </summary>
    /// <param name="map">The values, row by row, all finite.</param>
    /// <param name="rows">Rows of the map.</param>
    /// <param name="columns">Columns of the map.</param>
    /// <param name="height">Rows of the picture.</param>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="constant">Whether the map had one value only.</param>
    public static Picture Project(ReadOnlySpan<float> map, int rows, int columns, int height, int width, out bool constant)
    {
        if (map.Length != rows * columns || map.IsEmpty)
            throw new ArgumentException($"A map of {rows} x {columns} has not {map.Length} values.", nameof(map));
        float least = map[0], greatest = map[0];
        foreach (float value in map)
            (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
        constant = !(greatest > least);
        var rgb = new byte[3 * height * width];
        if (constant)
            return new Picture(width, height, rgb);
        double scale = 1 / ((double)greatest - least);
        (int First, int Second, float Weight)[] across = Taps(width, columns);
        for (int y = 0; y < height; y++)
        {
            (int first, int second, float down) = Tap(y, height, rows);
            ReadOnlySpan<float> top = map.Slice(first * columns, columns), bottom = map.Slice(second * columns, columns);
            for (int x = 0; x < width; x++)
            {
                (int left, int right, float share) = across[x];
                double upper = top[left] + (top[right] - (double)top[left]) * share, lower = bottom[left] + (bottom[right] - (double)bottom[left]) * share;
                rgb.AsSpan(3 * (y * width + x), 3).Fill(ToByte((upper + (lower - upper) * down - least) * scale));
            }
        }
        return new Picture(width, height, rgb);
    }

    private static byte ToByte(double unit) => (byte)(Math.Clamp(unit, 0, 1) * 255 + 0.5);

    private static (int First, int Second, float Weight)[] Taps(int targets, int sources) => [.. Enumerable.Range(0, targets).Select(target => Tap(target, targets, sources))];

    private static (int First, int Second, float Weight) Tap(int target, int targets, int sources)
    {
        float position = Math.Clamp((target + 0.5f) * sources / targets - 0.5f, 0, sources - 1);
        int first = (int)position;
        return (first, Math.Min(first + 1, sources - 1), position - first);
    }
}
