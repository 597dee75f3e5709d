using Cloister.Onnx.Pictures;

namespace Cloister.Samples.Shapes.Drawing;

/// <summary>
/// Draws one shape at a random place, size, angle and proportion, filled or as an outline, in two colours that can be told apart, on a
/// shaded and noisy ground. The same (seed, index) gives the same pixels on any processor.
/// </summary>
internal static class ShapeDrawing
{
    private const int Size = Canvas.Size;
    private const double LeastContrast = 70, OutlineShare = 0.4;

    public static int LabelOf(int index) => index % Outlines.Labels.Count;

    public static Picture Draw(ulong seed, int index)
    {
        var random = new Randomness(seed, (ulong)index);
        var canvas = new Canvas();
        double radius = random.Between(10, 15);
        Point[] corners = Place(Outlines.All[LabelOf(index)], radius, random);
        if (random.Between(0, 1) < OutlineShare)
            canvas.Stroke(corners, random.Between(1.6, 3));
        else
            canvas.Fill(corners);
        return new Picture(Size, Size, Paint(canvas, random));
    }

    private static Point[] Place(Point[] outline, double radius, Randomness random)
    {
        // Half a pixel and half a pen stay free at the border.
        double margin = radius + 0.5;
        double x = random.Between(margin, Size - margin), y = random.Between(margin, Size - margin);
        double stretch = random.Between(0.88, 1);
        (double sin, double cos) = ExactMath.SinCos(random.Between(0, 2 * Math.PI));
        return [.. outline.Select(corner =>
        {
            double u = corner.X * (radius - 1), v = corner.Y * (radius - 1) * stretch;
            return new Point(x + u * cos - v * sin, y + u * sin + v * cos);
        })];
    }

    private static byte[] Paint(Canvas canvas, Randomness random)
    {
        double[] ground = Color(random), shade = [.. ground.Select(value => value + random.Between(-40, 40))];
        double[] shape;
        do
            shape = Color(random);
        while (Math.Abs(Luma(shape) - Luma(ground)) < LeastContrast || Math.Abs(Luma(shape) - Luma(shade)) < LeastContrast);
        (double slopeY, double slopeX) = ExactMath.SinCos(random.Between(0, 2 * Math.PI));
        double noise = random.Between(0, 10);

        byte[] rgb = new byte[3 * Size * Size];
        for (int y = 0; y < Size; y++)
            for (int x = 0; x < Size; x++)
            {
                double covered = canvas.Covered(x, y) / (double)Canvas.SamplesPerPixel;
                double along = 0.5 + ((x - Size / 2.0) * slopeX + (y - Size / 2.0) * slopeY) / (1.5 * Size);
                for (int channel = 0; channel < 3; channel++)
                {
                    double below = ground[channel] + (shade[channel] - ground[channel]) * along;
                    double value = below + (shape[channel] - below) * covered + random.Between(-noise, noise);
                    rgb[3 * (y * Size + x) + channel] = (byte)Math.Clamp(value + 0.5, 0, 255);
                }
            }

        return rgb;
    }

    private static double[] Color(Randomness random) => [random.Byte(), random.Byte(), random.Byte()];

    private static double Luma(double[] rgb) => 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}
