using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Png;

/// <summary>Turns unfiltered rows of any colour type and depth into opaque 8-bit RGB over white.</summary>
internal sealed class PngPixels(PngFile file)
{
    private const int White = 255;
    private readonly PngHeader _header = file.Header;
    private readonly int _maximum = (1 << file.Header.Depth) - 1;
    private readonly (int R, int G, int B)? _transparent = TransparentColor(file);

    /// <summary>Decodes one row; pixel i goes to <c>rgb[at + i * step ..]</c>.</summary>
    public void Decode(ReadOnlySpan<byte> row, int width, Span<byte> rgb, int at, int step)
    {
        for (int x = 0; x < width; x++, at += step)
        {
            (int r, int g, int b, int alpha) = _header.Color == PngColor.Palette ? FromPalette(Sample(row, x)) : FromSamples(row, x * _header.Samples);
            rgb[at] = Over(r, alpha);
            rgb[at + 1] = Over(g, alpha);
            rgb[at + 2] = Over(b, alpha);
        }
    }

    private static byte Over(int value, int alpha) => (byte)((value * alpha + White * (255 - alpha) + 127) / 255);

    private static (int R, int G, int B)? TransparentColor(PngFile file)
    {
        if (file.Transparency is not { } bytes || file.Header.Color == PngColor.Palette)
            return null;
        int first = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return file.Header.Color == PngColor.Grey
            ? (first, first, first)
            : (first, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)), BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)));
    }

    private (int R, int G, int B, int Alpha) FromPalette(int index)
    {
        if (3 * index >= file.Palette.Length)
            throw new PictureException(PictureError.BadPalette, $"A pixel names palette entry {index} of {file.Palette.Length / 3}.");
        int alpha = index < file.Transparency?.Length ? file.Transparency[index] : 255;
        return (file.Palette[3 * index], file.Palette[3 * index + 1], file.Palette[3 * index + 2], alpha);
    }

    private (int R, int G, int B, int Alpha) FromSamples(ReadOnlySpan<byte> row, int first)
    {
        bool color = _header.Color is PngColor.Rgb or PngColor.RgbAlpha;
        int r = Sample(row, first), g = color ? Sample(row, first + 1) : r, b = color ? Sample(row, first + 2) : r;
        int alpha = _header.Color switch
        {
            PngColor.GreyAlpha => To8Bits(Sample(row, first + 1)),
            PngColor.RgbAlpha => To8Bits(Sample(row, first + 3)),
            // Compared at the file's own depth, as PNG 11.3.1 says.
            _ => _transparent == (r, g, b) ? 0 : 255,
        };
        return (To8Bits(r), To8Bits(g), To8Bits(b), alpha);
    }

    private int To8Bits(int sample) => (sample * 255 + _maximum / 2) / _maximum;

    private int Sample(ReadOnlySpan<byte> row, int index) => _header.Depth switch
    {
        16 => BinaryPrimitives.ReadUInt16BigEndian(row[(2 * index)..]),
        8 => row[index],
        _ => row[index * _header.Depth / 8] >> 8 - _header.Depth - index * _header.Depth % 8 & _maximum,
    };
}
