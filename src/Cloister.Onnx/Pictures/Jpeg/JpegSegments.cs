using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>Walks a file's markers and their segments (T.81, B.1.1).</summary>
internal ref struct JpegSegments(ReadOnlySpan<byte> file)
{
    private readonly ReadOnlySpan<byte> _file = file;
    private int _at;

    /// <summary>What has not been walked yet; after a scan's header, the scan's entropy-coded bytes and all that follows.</summary>
    public readonly ReadOnlySpan<byte> Rest => _file[_at..];

    /// <summary>Passes over entropy-coded bytes.</summary>
    public void Skip(int bytes) => _at += bytes;

    /// <summary>The next marker, and its segment's content without the length.</summary>
    public JpegMarker Next(out ReadOnlySpan<byte> content)
    {
        content = default;
        if (At(_at) != 0xff)
            throw new PictureException(PictureError.BadSegment, $"Byte {_at} should begin a marker and does not; the file is damaged.");
        while (At(_at) == 0xff)
            _at++; // Any number of 0xFF may stand before a marker (B.1.1.2).
        var marker = (JpegMarker)_file[_at++];
        if (marker is JpegMarker.Start or JpegMarker.End or >= JpegMarker.Restart0 and <= JpegMarker.Restart7)
            return marker;
        if ((byte)marker < 0xc0)
            throw new PictureException(PictureError.BadSegment, $"0xFF{(byte)marker:X2} before byte {_at} is no marker of a picture; the file is damaged.");
        if (_file.Length - _at < 2)
            throw Truncated();
        int length = BinaryPrimitives.ReadUInt16BigEndian(_file[_at..]);
        if (length < 2)
            throw new PictureException(PictureError.BadSegment, $"Segment {marker} at byte {_at} claims {length} bytes; its length alone has 2.");
        if (length > _file.Length - _at)
            throw Truncated();
        content = _file.Slice(_at + 2, length - 2);
        _at += length;
        return marker;
    }

    public static PictureException Truncated() => new(PictureError.Truncated, "The file ends before the picture does.");

    private readonly byte At(int index) => index < _file.Length ? _file[index] : throw Truncated();
}
