namespace Cloister.Onnx.Pictures;

/// <summary>Scales pictures to the size a model asks for, stretching where the proportions differ.</summary>
internal static class PictureScaling
{
    public static Picture Scale(Picture source, int width, int height, ResizeMode mode)
    {
        if (mode == ResizeMode.Smooth)
            return PictureSmoothing.Scale(source, width, height);
        byte[] rgb = new byte[checked(3 * width * height)];
        for (int y = 0; y < height; y++)
        {
            Tap vertical = Tap.At(y, height, source.Height, mode);
            for (int x = 0; x < width; x++)
            {
                Tap horizontal = Tap.At(x, width, source.Width, mode);
                for (int channel = 0; channel < 3; channel++)
                {
                    float top = Mix(source, horizontal, vertical.First, channel), bottom = Mix(source, horizontal, vertical.Second, channel);
                    rgb[3 * (y * width + x) + channel] = (byte)(top + (bottom - top) * vertical.Weight + 0.5f);
                }
            }
        }

        return new Picture(width, height, rgb);
    }

    private static float Mix(Picture source, Tap tap, int row, int channel)
    {
        float first = source.Rgb[3 * (row * source.Width + tap.First) + channel];
        float second = source.Rgb[3 * (row * source.Width + tap.Second) + channel];
        return first + (second - first) * tap.Weight;
    }

    /// <summary>Two source positions and the share of the second.</summary>
    private readonly record struct Tap(int First, int Second, float Weight)
    {
        public static Tap At(int target, int targets, int sources, ResizeMode mode)
        {
            float position = (target + 0.5f) * sources / targets - 0.5f;
            if (mode == ResizeMode.Nearest)
            {
                int nearest = Math.Clamp((int)MathF.Floor(position + 0.5f), 0, sources - 1);
                return new Tap(nearest, nearest, 0);
            }

            position = Math.Clamp(position, 0, sources - 1);
            int first = (int)position;
            return new Tap(first, Math.Min(first + 1, sources - 1), position - first);
        }
    }
}
