namespace Cloister.Onnx.Pictures;

/// <summary>
/// Scales pictures with a triangle that spans two target pixels where it shrinks, so that each source pixel counts, and two source pixels
/// where it enlarges, which is bilinear: what Pillow, and with it most models' training, calls bilinear.
/// </summary>
internal static class PictureSmoothing
{
    public static Picture Scale(Picture source, int width, int height)
    {
        byte[] rgb = new byte[checked(3 * width * height)];
        float[] mixed = new float[3 * source.Width];
        Window[] columns = [.. Enumerable.Range(0, width).Select(x => Window.At(x, width, source.Width))];
        for (int y = 0; y < height; y++)
        {
            Window rows = Window.At(y, height, source.Height);
            mixed.AsSpan().Clear();
            for (int i = 0; i < rows.Weights.Length; i++)
                Add(source.Rgb.AsSpan((rows.First + i) * mixed.Length, mixed.Length), rows.Weights[i], mixed);
            for (int x = 0; x < width; x++)
                columns[x].Mix(mixed, rgb.AsSpan(3 * (y * width + x), 3));
        }

        return new Picture(width, height, rgb);
    }

    private static void Add(ReadOnlySpan<byte> row, float weight, Span<float> mixed)
    {
        for (int i = 0; i < mixed.Length; i++)
            mixed[i] += weight * row[i];
    }

    /// <summary>The source positions that a target position is made of, and their shares, which are 1 together.</summary>
    private readonly record struct Window(int First, float[] Weights)
    {
        public static Window At(int target, int targets, int sources)
        {
            double scale = (double)sources / targets, reach = Math.Max(scale, 1), center = (target + 0.5) * scale;
            int first = Math.Max(0, (int)(center - reach + 0.5)), end = Math.Min(sources, (int)(center + reach + 0.5));
            double[] heights = [.. Enumerable.Range(first, end - first).Select(i => Math.Max(0, 1 - Math.Abs((i + 0.5 - center) / reach)))];
            double sum = heights.Sum();
            return new Window(first, [.. heights.Select(height => (float)(height / sum))]);
        }

        public void Mix(ReadOnlySpan<float> pixels, Span<byte> rgb)
        {
            float red = 0.5f, green = 0.5f, blue = 0.5f;
            for (int i = 0; i < Weights.Length; i++)
            {
                ReadOnlySpan<float> pixel = pixels.Slice(3 * (First + i), 3);
                red += Weights[i] * pixel[0];
                green += Weights[i] * pixel[1];
                blue += Weights[i] * pixel[2];
            }

            (rgb[0], rgb[1], rgb[2]) = ((byte)Math.Min(red, 255), (byte)Math.Min(green, 255), (byte)Math.Min(blue, 255));
        }
    }
}
