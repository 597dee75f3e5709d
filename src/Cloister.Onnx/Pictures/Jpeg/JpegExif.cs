using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>Reads the orientation from an Exif segment, a small TIFF file (TIFF 6.0, section 2). What cannot be read there is as if it were absent: it says nothing of the pixels.</summary>
internal static class JpegExif
{
    private const int Orientation = 0x0112, Short = 3, EntrySize = 12;

    private static ReadOnlySpan<byte> Name => "Exif\0\0"u8;

    /// <summary>Whether an APP1 segment is an Exif one.</summary>
    public static bool Recognises(ReadOnlySpan<byte> content) => content.StartsWith(Name);

    /// <summary>The orientation that the first directory names, or upright.</summary>
    public static JpegOrientation Read(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> tiff = content[Name.Length..];
        bool little = tiff.StartsWith("II*\0"u8);
        if ((!little && !tiff.StartsWith("MM\0*"u8)) || tiff.Length < 8)
            return JpegOrientation.Upright;
        uint directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2)
            return JpegOrientation.Upright;
        ReadOnlySpan<byte> entries = tiff[((int)directory + 2)..];
        for (int left = Number(tiff, (int)directory, little); left > 0 && entries.Length >= EntrySize; left--, entries = entries[EntrySize..])
        {
            if (Number(entries, 0, little) == Orientation)
                return Number(entries, 2, little) == Short && Number(entries, 8, little) is >= 1 and <= 8 and var number ? new JpegOrientation(number) : JpegOrientation.Upright;
        }

        return JpegOrientation.Upright;
    }

    private static int Number(ReadOnlySpan<byte> bytes, int at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]) : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
}
