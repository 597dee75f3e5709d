namespace Cloister.Onnx.Pictures;

/// <summary>
/// How a picture becomes a network's input: a named choice that travels with the model.
/// <list type="bullet">
/// <item><c>unit</c>: RGB / 255</item>
/// <item><c>signed-unit</c>: RGB / 127.5 - 1</item>
/// <item><c>imagenet</c>: (RGB / 255 - mean) / deviation, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225</item>
/// <item><c>bgr-mean</c>: BGR of 0 to 255 minus 103.939 116.779 123.68</item>
/// <item><c>grey-unit</c>: luma / 255, one channel; luma is 0.299 R + 0.587 G + 0.114 B</item>
/// <item><c>raw</c>: RGB of 0 to 255, or its luma where the model has one channel</item>
/// </list>
/// </summary>
public sealed class Preprocessing
{
    private static readonly Preprocessing[] Known =
    [
        new("unit", [0, 1, 2], (value, _) => value / 255f),
        new("signed-unit", [0, 1, 2], (value, _) => value / 127.5f - 1f),
        new("imagenet", [0, 1, 2], (value, channel) => (value / 255f - Mean[channel]) / Deviation[channel]),
        new("bgr-mean", [2, 1, 0], (value, channel) => value - BgrMean[channel]),
        new("grey-unit", null, (value, _) => value / 255f),
        new("raw", [0, 1, 2], (value, _) => value),
    ];

    // Output channel c shows source channel _order[c]; null is luma.
    private readonly int[]? _order;
    private readonly Func<float, int, float> _scale;

    private Preprocessing(string name, int[]? order, Func<float, int, float> scale)
    {
        Name = name;
        _order = order;
        _scale = scale;
    }

    /// <summary>All names, for help texts.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The name by which the choice travels.</summary>
    public string Name { get; }

    private static ReadOnlySpan<float> Mean => [0.485f, 0.456f, 0.406f];

    private static ReadOnlySpan<float> Deviation => [0.229f, 0.224f, 0.225f];

    private static ReadOnlySpan<float> BgrMean => [103.939f, 116.779f, 123.68f];

    /// <summary>Finds the choice with this name.</summary>
    /// <exception cref="PictureException"><see cref="PictureError.UnknownPreprocessing"/>.</exception>
    public static Preprocessing Parse(string name) =>
        Known.FirstOrDefault(known => known.Name == name)
        ?? throw new PictureException(PictureError.UnknownPreprocessing, $"There is no preprocessing '{name}'; known are {string.Join(", ", Names)}.");

    /// <summary>Writes the picture as a tensor of [channels, height, width].</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="channels">Channels that the model asks for: 3, or 1 for luma.</param>
    /// <param name="height">Rows that the model asks for.</param>
    /// <param name="width">Columns that the model asks for.</param>
    /// <param name="destination">Exactly channels * height * width elements.</param>
    /// <param name="resize">What to do with a picture of another size.</param>
    /// <exception cref="PictureException">The picture does not fit the model.</exception>
    /// <exception cref="ArgumentException">The destination does not fit the sizes.</exception>
    public void ToTensor(Picture picture, int channels, int height, int width, Span<float> destination, ResizeMode resize = ResizeMode.Refuse)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        bool luma = _order is null || (channels == 1 && Name == "raw");
        if (channels != (luma ? 1 : 3))
            throw new PictureException(PictureError.WrongChannels, $"Preprocessing '{Name}' does not make {channels} channels.");
        if (destination.Length != (long)channels * height * width)
            throw new ArgumentException($"The tensor has {(long)channels * height * width} elements, the destination {destination.Length}.", nameof(destination));
        if (picture.Width != width || picture.Height != height)
        {
            if (resize == ResizeMode.Refuse)
                throw new PictureException(PictureError.WrongSize, $"The picture is {picture.Width} x {picture.Height}; the model takes {width} x {height}. Scale it, or ask for resizing.");
            picture = PictureScaling.Scale(picture, width, height, resize);
        }

        if (luma)
            WriteLuma(picture.Rgb, destination);
        else
            for (int channel = 0; channel < 3; channel++)
                WriteChannel(picture.Rgb, channel, destination.Slice(channel * height * width, height * width));
    }

    private void WriteLuma(ReadOnlySpan<byte> rgb, Span<float> plane)
    {
        for (int i = 0; i < plane.Length; i++)
            plane[i] = _scale(0.299f * rgb[3 * i] + 0.587f * rgb[3 * i + 1] + 0.114f * rgb[3 * i + 2], 0);
    }

    private void WriteChannel(ReadOnlySpan<byte> rgb, int channel, Span<float> plane)
    {
        Span<float> scaled = stackalloc float[256];
        for (int value = 0; value < scaled.Length; value++)
            scaled[value] = _scale(value, channel);
        int source = _order![channel];
        for (int i = 0; i < plane.Length; i++)
            plane[i] = scaled[rgb[3 * i + source]];
    }
}
