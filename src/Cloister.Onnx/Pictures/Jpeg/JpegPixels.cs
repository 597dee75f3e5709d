namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>Turns components into pixels that lie as the picture is looked at.</summary>
internal static class JpegPixels
{
    public static Picture Make(JpegFrame frame, JpegApplications applications)
    {
        JpegOrientation orientation = applications.Orientation;
        bool grey = frame.Components.Length == 1, differences = !grey && applications.AreLumaAndDifferences(frame);
        byte[] rgb = new byte[3 * frame.Width * frame.Height];
        (int first, int column, int row) = orientation.Walk(frame.Width, frame.Height);
        JpegUpsampling[] planes = [.. frame.Components.Select(component => new JpegUpsampling(component, frame))];
        for (int y = 0; y < frame.Height; y++)
        {
            int at = 3 * (first + y * row), step = 3 * column;
            ReadOnlySpan<byte> one = planes[0].Row(y)[..frame.Width], two = grey ? one : planes[1].Row(y), three = grey ? one : planes[2].Row(y);
            if (differences)
                FromDifferences(one, two, three, rgb, at, step);
            else
                Copy(one, two, three, rgb, at, step);
        }

        return orientation.Turns ? new Picture(frame.Height, frame.Width, rgb) : new Picture(frame.Width, frame.Height, rgb);
    }

    private static void Copy(ReadOnlySpan<byte> red, ReadOnlySpan<byte> green, ReadOnlySpan<byte> blue, Span<byte> rgb, int at, int step)
    {
        for (int x = 0; x < red.Length; x++, at += step)
            (rgb[at], rgb[at + 1], rgb[at + 2]) = (red[x], green[x], blue[x]);
    }

    // T.871, 7, with 16 binary places: 1.402, 0.344136, 0.714136, 1.772.
    private static void FromDifferences(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> blue, ReadOnlySpan<byte> red, Span<byte> rgb, int at, int step)
    {
        const int Half = 1 << 15;
        for (int x = 0; x < luma.Length; x++, at += step)
        {
            int y = luma[x], cb = blue[x] - 128, cr = red[x] - 128;
            rgb[at] = Sample(y + (91881 * cr + Half >> 16));
            rgb[at + 1] = Sample(y + (-22554 * cb - 46802 * cr + Half >> 16));
            rgb[at + 2] = Sample(y + (116130 * cb + Half >> 16));
        }
    }

    private static byte Sample(int value) => (byte)Math.Clamp(value, 0, 255);
}
