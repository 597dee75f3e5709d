using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>Pictures for people, small enough that a page can hold a hundred.</summary>
internal static class Thumbnail
{
    private const int LongestSide = 128;

    public static RebuiltPicture Of(ReconstructedPicture picture) => new(picture.Name, Small(picture.Original), Small(picture.Reconstruction));

    // Whole numbers of pixels are averaged; what is left over at the edges is cut off.
    private static byte[] Small(byte[] png)
    {
        Picture picture = PngReader.Read(png);
        int step = (Math.Max(picture.Width, picture.Height) + LongestSide - 1) / LongestSide;
        if (step == 1 || picture.Width < step || picture.Height < step) return png;
        int width = picture.Width / step, height = picture.Height / step;
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int channel = 0; channel < 3; channel++)
                {
                    int sum = 0;
                    for (int i = 0; i < step * step; i++) sum += picture.Rgb[3 * ((y * step + i / step) * picture.Width + x * step + i % step) + channel];
                    rgb[3 * (y * width + x) + channel] = (byte)((sum + step * step / 2) / (step * step));
                }
        return PngWriter.Write(new Picture(width, height, rgb));
    }
}
