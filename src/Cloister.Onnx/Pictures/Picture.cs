namespace Cloister.Onnx.Pictures;

/// <summary>A picture of opaque 8-bit RGB pixels.</summary>
public sealed class Picture
{
    /// <summary>Creates a picture over the given pixels, which are not copied.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="rgb">Red, green, blue of each pixel, row by row from the top: 3 * width * height bytes.</param>
    /// <exception cref="ArgumentException">The sizes do not fit each other.</exception>
    public Picture(int width, int height, byte[] rgb)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (rgb.LongLength != 3L * width * height)
            throw new ArgumentException($"A picture of {width} x {height} needs {3L * width * height} bytes, {rgb.LongLength} were given.", nameof(rgb));
        Width = width;
        Height = height;
        Rgb = rgb;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue of each pixel, row by row from the top.</summary>
    public byte[] Rgb { get; }
}
