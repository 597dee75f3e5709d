using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>A test picture and what an attack rebuilt of it, both as PNG files.</summary>
/// <param name="Name">Where the picture comes from.</param>
/// <param name="Original">The picture as the model saw it.</param>
/// <param name="Reconstruction">What was rebuilt.</param>
public sealed record ReconstructedPicture(string Name, byte[] Original, byte[] Reconstruction)
{
    /// <summary>Writes planes of [channels, height, width], 0 to 1, as a PNG file.</summary>
    /// <exception cref="ArgumentException">The length is not that of the size.</exception>
    public static byte[] Png(ReadOnlySpan<float> pixels, PictureSize size)
    {
        if (pixels.Length != size.Elements || size.Channels is not (1 or 3))
            throw new ArgumentException($"{pixels.Length} numbers are no picture of {size}.", nameof(pixels));
        int plane = size.Height * size.Width;
        byte[] rgb = new byte[3 * plane];
        for (int i = 0; i < plane; i++)
            for (int channel = 0; channel < 3; channel++)
                rgb[3 * i + channel] = (byte)(Math.Clamp(pixels[(size.Channels == 1 ? 0 : channel) * plane + i], 0f, 1f) * 255 + 0.5f);
        return PngWriter.Write(new Picture(size.Width, size.Height, rgb));
    }
}
