namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>A scan header (T.81, B.2.3), checked against what earlier scans have sent.</summary>
internal sealed record JpegScan(JpegScanComponent[] Components, int From, int To, int High, int Low)
{
    /// <summary>Reads the header and notes what the scan adds.</summary>
    public static JpegScan Parse(ReadOnlySpan<byte> content, JpegFrame frame)
    {
        int count = content.IsEmpty ? 0 : content[0];
        if (count == 0 || content.Length != 4 + 2 * count)
            throw new PictureException(PictureError.BadSegment, "A scan header has a wrong size; the file is damaged.");
        if (count > frame.Components.Length)
            throw Refused($"it has {count} components and the picture {frame.Components.Length}");
        var components = new JpegScanComponent[count];
        int last = -1;
        for (int i = 0; i < count; i++)
        {
            byte id = content[1 + 2 * i], tables = content[2 + 2 * i];
            int index = Array.FindIndex(frame.Components, component => component.Id == id);
            if (index <= last)
                throw Refused($"component {id} is not in the picture, or is out of order");
            if ((tables >> 4) > 3 || (tables & 15) > 3)
                throw Refused($"component {id} asks for a table that JPEG does not have");
            last = index;
            components[i] = new JpegScanComponent(frame.Components[index], tables >> 4, tables & 15);
        }

        if (count > 1 && components.Sum(component => component.Component.Horizontal * component.Component.Vertical) > 10)
            throw Refused("a unit of it has more than ten blocks");
        ReadOnlySpan<byte> fields = content[^3..];
        var scan = new JpegScan(components, fields[0], fields[1], fields[2] >> 4, fields[2] & 15);
        if (frame.Progressive)
            scan.Continue();
        else
            scan = scan.Whole();
        return scan;
    }

    // G.1.1.1: which coefficients, and which of their bits; each scan goes on exactly where the one before stopped, so that no bit is sent twice.
    private void Continue()
    {
        if (From == 0 ? To != 0 : To < From || To > 63 || Components.Length != 1)
            throw Refused($"it has coefficients {From} to {To} of {Components.Length} components");
        if (Low > 13 || (High != 0 && High != Low + 1))
            throw Refused($"it goes from bit {High} to bit {Low}");
        foreach (JpegComponent component in Components.Select(part => part.Component))
        {
            if (From > 0 && component.Precision[0] < 0)
                throw Refused($"component {component.Id} begins without its first coefficients");
            for (int k = From; k <= To; k++)
            {
                if (component.Precision[k] != (High == 0 ? -1 : High))
                    throw Refused($"it does not go on where coefficient {k} of component {component.Id} was left");
                component.Precision[k] = (sbyte)Low;
            }
        }
    }

    // F.1.1.5 fixes the four fields; there are files with zeros in them, which mean the same.
    private JpegScan Whole()
    {
        if (From != 0 || To is not (0 or 63) || High != 0 || Low != 0)
            throw Refused($"it has coefficients {From} to {To} and bits {High} to {Low} of a picture that is not progressive");
        foreach (JpegComponent component in Components.Select(part => part.Component))
        {
            if (component.Precision[0] >= 0)
                throw Refused($"component {component.Id} is sent twice");
            component.Precision.AsSpan().Clear();
        }

        return this with { To = 63 };
    }

    private static PictureException Refused(string why) => new(PictureError.BadScan, $"A scan is refused: {why}; the file is damaged.");
}
