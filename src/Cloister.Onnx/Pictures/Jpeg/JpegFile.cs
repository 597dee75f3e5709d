namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>A JPEG file read from its first marker to the end of its picture (T.81, B.2.1).</summary>
internal sealed class JpegFile
{
    // Each scan passes over the whole picture, though few bytes may say so. Encoders make ten to twenty.
    private const int MostScans = 64;

    private readonly PictureLimits _limits;
    private readonly JpegTables _tables = new();
    private readonly JpegApplications _applications = new();
    private JpegFrame? _frame;
    private int _scans;

    private JpegFile(PictureLimits limits) => _limits = limits;

    public static ReadOnlySpan<byte> Signature => [0xff, 0xd8, 0xff];

    public static Picture Read(ReadOnlySpan<byte> file, PictureLimits limits)
    {
        if (file.Length > limits.MaxFileBytes)
            throw new PictureException(PictureError.TooLarge, $"The file has {file.Length} bytes; at most {limits.MaxFileBytes} are read.");
        if (!file.StartsWith(Signature))
            throw new PictureException(PictureError.NotJpeg, "The bytes do not begin as a JPEG file does.");
        return new JpegFile(limits).Read(file);
    }

    private Picture Read(ReadOnlySpan<byte> file)
    {
        var segments = new JpegSegments(file);
        _ = segments.Next(out _); // The start, which the signature has shown.
        while (true)
        {
            JpegMarker marker = segments.Next(out ReadOnlySpan<byte> content);
            switch (marker)
            {
                case JpegMarker.End:
                    return Finish();
                case JpegMarker.QuantizationTables:
                    _tables.ReadQuantization(content);
                    break;
                case JpegMarker.HuffmanTables:
                    _tables.ReadHuffman(content);
                    break;
                case JpegMarker.RestartInterval:
                    _tables.ReadRestartInterval(content);
                    break;
                case JpegMarker.Scan:
                    segments.Skip(ReadScan(content, segments.Rest));
                    break;
                case JpegMarker.Comment:
                    break;
                case >= JpegMarker.Application0 and <= JpegMarker.Application15:
                    _applications.Read(marker, content);
                    break;
                case JpegMarker.ArithmeticConditioning or JpegMarker.NumberOfLines or JpegMarker.Hierarchy or JpegMarker.Expansion:
                    throw new PictureException(PictureError.UnsupportedCoding, $"The picture uses {marker}, which is not read; save it anew as baseline or progressive JPEG.");
                default:
                    if (!JpegFrame.Begins(marker) || _frame is not null)
                        throw new PictureException(PictureError.BadSegment, $"Marker 0xFF{(byte)marker:X2} is unknown, repeated, or in a wrong place; the file is damaged.");
                    _frame = JpegFrame.Parse(marker, content, segments.Rest.Length, _limits);
                    break;
            }
        }
    }

    private int ReadScan(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        if (_frame is null)
            throw new PictureException(PictureError.BadSegment, "A scan stands before the frame that it is part of; the file is damaged.");
        if (++_scans > MostScans)
            throw new PictureException(PictureError.TooManyScans, $"The picture has more than {MostScans} scans; save it anew.");
        return new JpegScanReader(_frame, JpegScan.Parse(header, _frame), _tables).Read(data);
    }

    private Picture Finish()
    {
        // A download that broke off and was ended by hand has its first scans: a coarse picture, not the one that was saved.
        if (_frame is null || _frame.Components.Any(component => component.Precision.AsSpan().ContainsAnyExcept((sbyte)0)))
            throw new PictureException(PictureError.BadPixelData, "The picture ends before all of its scans have come; the file is cut off or damaged.");
        if (_frame.Progressive)
        {
            foreach (JpegComponent component in _frame.Components)
                component.Transform();
        }

        return JpegPixels.Make(_frame, _applications);
    }
}
