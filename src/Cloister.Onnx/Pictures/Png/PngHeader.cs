using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Png;

/// <summary>PNG's colour types (PNG, 11.2.1).</summary>
internal enum PngColor : byte
{
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    RgbAlpha = 6,
}

/// <summary>The IHDR chunk, checked against the limits before anything is allocated.</summary>
internal sealed record PngHeader(int Width, int Height, int Depth, PngColor Color, bool Interlaced)
{
    public const int Size = 13;

    // Whatever the limits say, a row of the widest pixels (8 bytes) must be countable.
    private const int MostPixels = int.MaxValue / 8;

    public int Samples => Color switch
    {
        PngColor.Rgb => 3,
        PngColor.GreyAlpha => 2,
        PngColor.RgbAlpha => 4,
        _ => 1,
    };

    /// <summary>Bytes from a pixel to the one left of it, for the filters; at least 1.</summary>
    public int FilterDistance => Math.Max(1, Samples * Depth / 8);

    public static PngHeader Parse(ReadOnlySpan<byte> chunk, PictureLimits limits)
    {
        uint width = BinaryPrimitives.ReadUInt32BigEndian(chunk), height = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
        int depth = chunk[8];
        var color = (PngColor)chunk[9];
        bool known = color switch
        {
            PngColor.Grey => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GreyAlpha or PngColor.RgbAlpha => depth is 8 or 16,
            _ => false,
        };
        if (!known || chunk[10] != 0 || chunk[11] != 0 || chunk[12] > 1 || width == 0 || height == 0)
            throw new PictureException(PictureError.BadHeader, $"The header says {width} x {height}, colour type {chunk[9]}, depth {depth}, methods {chunk[10]}, {chunk[11]}, {chunk[12]}: PNG has no such picture.");
        if (width > (uint)limits.MaxSide || height > (uint)limits.MaxSide || (ulong)width * height > (uint)Math.Min(limits.MaxPixels, MostPixels))
            throw new PictureException(PictureError.TooLarge, $"The picture is {width} x {height}; at most {limits.MaxPixels} pixels and {limits.MaxSide} a side are read.");
        return new PngHeader((int)width, (int)height, depth, color, chunk[12] == 1);
    }

    public int RowBytes(int width) => (int)(((long)width * Samples * Depth + 7) / 8);
}
