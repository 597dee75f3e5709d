using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>The frame header (T.81, B.2.2), checked against the limits before anything is allocated.</summary>
internal sealed class JpegFrame
{
    // Whatever the limits say, samples and coefficients filled up to whole blocks must be countable, and three bytes a pixel.
    private const int MostPixels = int.MaxValue / 4;

    private JpegFrame(int width, int height, bool progressive, JpegComponent[] components)
    {
        Width = width;
        Height = height;
        Progressive = progressive;
        Components = components;
        MostHorizontal = components.Max(component => component.Horizontal);
        MostVertical = components.Max(component => component.Vertical);
        UnitsAcross = (width + 8 * MostHorizontal - 1) / (8 * MostHorizontal);
        UnitsDown = (height + 8 * MostVertical - 1) / (8 * MostVertical);
        foreach (JpegComponent component in components)
            component.Place(width, height, MostHorizontal, MostVertical, UnitsAcross, UnitsDown);
    }

    public int Width { get; }

    public int Height { get; }

    public bool Progressive { get; }

    public JpegComponent[] Components { get; }

    public int MostHorizontal { get; }

    public int MostVertical { get; }

    /// <summary>Interleaved units (MCUs) beside each other.</summary>
    public int UnitsAcross { get; }

    public int UnitsDown { get; }

    /// <summary>Whether a marker begins a frame of some kind, read or not (T.81, table B.1).</summary>
    public static bool Begins(JpegMarker marker) => marker is >= JpegMarker.BaselineFrame and <= JpegMarker.LastFrame
        and not (JpegMarker.HuffmanTables or JpegMarker.Reserved or JpegMarker.ArithmeticConditioning);

    /// <summary>Reads the header.</summary>
    /// <param name="marker">The marker that began it.</param>
    /// <param name="content">The segment.</param>
    /// <param name="left">Bytes of the file that follow.</param>
    /// <param name="limits">The most that is read.</param>
    public static JpegFrame Parse(JpegMarker marker, ReadOnlySpan<byte> content, int left, PictureLimits limits)
    {
        if (marker > JpegMarker.ProgressiveFrame)
            throw new PictureException(PictureError.UnsupportedCoding, $"The picture is {KindOf(marker)}; baseline, extended and progressive JPEG with Huffman codes are read. Save it as one of these, for example by: djpeg | cjpeg");
        if (content.Length < 6 || content.Length != 6 + 3 * content[5])
            throw new PictureException(PictureError.BadSegment, "The frame header has a wrong size; the file is damaged.");
        int precision = content[0], height = BinaryPrimitives.ReadUInt16BigEndian(content[1..]), width = BinaryPrimitives.ReadUInt16BigEndian(content[3..]);
        if (precision == 12)
            throw new PictureException(PictureError.UnsupportedCoding, "The picture has 12 bits a sample; 8 are read. Save it with 8 bits a sample.");
        if (precision != 8 || width == 0)
            throw new PictureException(PictureError.BadHeader, $"The header says {width} x {height} with {precision} bits a sample: JPEG has no such picture.");
        if (height == 0)
            throw new PictureException(PictureError.UnsupportedCoding, "The picture does not say its height before its pixels (DNL); save it anew.");
        if (width > limits.MaxSide || height > limits.MaxSide || (long)width * height > Math.Min(limits.MaxPixels, MostPixels))
            throw new PictureException(PictureError.TooLarge, $"The picture is {width} x {height}; at most {limits.MaxPixels} pixels and {limits.MaxSide} a side are read.");
        var frame = new JpegFrame(width, height, marker == JpegMarker.ProgressiveFrame, ParseComponents(content[6..], content[5]));
        frame.DemandBytes(left);
        return frame;
    }

    private static JpegComponent[] ParseComponents(ReadOnlySpan<byte> fields, int count)
    {
        if (count == 4)
            throw new PictureException(PictureError.UnsupportedColors, "The picture has four colours (CMYK or YCCK); grey and three colours are read. Save it as RGB.");
        if (count is not (1 or 3))
            throw new PictureException(PictureError.UnsupportedColors, $"The picture has {count} components; 1 (grey) and 3 (colour) are read.");
        var components = new JpegComponent[count];
        for (int i = 0; i < count; i++, fields = fields[3..])
        {
            var component = new JpegComponent(fields[0], fields[1] >> 4, fields[1] & 15, fields[2]);
            if (component.Horizontal is < 1 or > 4 || component.Vertical is < 1 or > 4 || component.QuantizationTable > 3 || components[..i].Any(other => other.Id == component.Id))
                throw new PictureException(PictureError.BadHeader, $"Component {i} has sampling factors {component.Horizontal} x {component.Vertical}, table {component.QuantizationTable} and name {component.Id}: JPEG has no such component, or has it already.");
            components[i] = component;
        }

        return components;
    }

    // A block takes at least one code of one bit for its first coefficient, and where it is sent at once another for the rest. A file too
    // short for that is refused before memory is taken for it.
    private void DemandBytes(int left)
    {
        long blocks = Components.Sum(component => (long)component.BlocksAcross * component.BlocksDown);
        if (left < blocks * (Progressive ? 1 : 2) / 8)
            throw new PictureException(PictureError.Truncated, $"{left} bytes follow the header of a picture of {Width} x {Height}, which cannot be all; the file is cut off.");
    }

    private static string KindOf(JpegMarker marker) => (byte)marker switch
    {
        0xC3 => "lossless",
        0xC5 or 0xC6 or 0xC7 => "hierarchical",
        _ => "coded arithmetically",
    };
}
