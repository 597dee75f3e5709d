namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>What application segments say of the pixels: JFIF's and Adobe's of the colours, Exif's of the orientation. The first of each kind counts.</summary>
internal sealed class JpegApplications
{
    private bool _jfif, _exif;
    private int? _adobe;

    /// <summary>How the stored rows lie.</summary>
    public JpegOrientation Orientation { get; private set; } = JpegOrientation.Upright;

    /// <summary>Notes a segment.</summary>
    public void Read(JpegMarker marker, ReadOnlySpan<byte> content)
    {
        if (marker == JpegMarker.Application0 && content.StartsWith("JFIF\0"u8))
            _jfif = true;
        else if (marker == JpegMarker.Application14 && content.Length >= 12 && content.StartsWith("Adobe"u8))
            _adobe ??= content[11];
        else if (marker == JpegMarker.Application1 && !_exif && JpegExif.Recognises(content))
            (_exif, Orientation) = (true, JpegExif.Read(content));
    }

    /// <summary>Whether three components are luma and two differences (T.871, 7), rather than red, green, blue; told as other decoders tell it, who have no other rule to go by.</summary>
    public bool AreLumaAndDifferences(JpegFrame frame)
    {
        if (_jfif)
            return true;
        if (_adobe is { } transform)
        {
            return transform switch
            {
                0 => false,
                1 => true,
                _ => throw new PictureException(PictureError.UnsupportedColors, $"The picture's colours are of Adobe's kind {transform}; 0 (RGB) and 1 (YCbCr) are read for three components. Save it as RGB."),
            };
        }

        return !(frame.Components[0].Id == 'R' && frame.Components[1].Id == 'G' && frame.Components[2].Id == 'B');
    }
}
