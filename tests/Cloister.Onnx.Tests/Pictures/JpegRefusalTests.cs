using Cloister.Onnx.Pictures;
using static Cloister.Onnx.Tests.Pictures.TestJpeg;

namespace Cloister.Onnx.Tests.Pictures;

public class JpegRefusalTests
{
    private const string Block = "00000"; // category 0, end of block

    private static readonly byte[] Grey = [1, 0x11, 0], Colours = [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    private static readonly byte[] Tables = [.. Quantization, .. DcCodes, .. AcCodes];
    private static readonly byte[] Frame8 = Frame(0xc0, 8, 8, Grey), Frame16 = Frame(0xc0, 16, 8, Grey), Colour8 = Frame(0xc0, 8, 8, Colours), Progressive8 = Frame(0xc2, 8, 8, Grey);
    private static readonly byte[] Whole = ScanHeader([1], 0, 63, 0), All = ScanHeader([1, 2, 3], 0, 63, 0), First = ScanHeader([1], 0, 0, 0);
    private static readonly byte[] Good = File(Frame8, Whole, Bits(Block));

    public static TheoryData<PictureError, string, byte[]> Structure => new()
    {
        { PictureError.NotJpeg, "nothing", [] },
        { PictureError.NotJpeg, "two bytes", Start },
        { PictureError.NotJpeg, "another format", "GIF89a, which is not read"u8.ToArray() },
        { PictureError.Truncated, "no end", Good[..^2] },
        { PictureError.Truncated, "half an end", Good[..^1] },
        { PictureError.Truncated, "a segment longer than the file", [.. Start, 0xff, 0xe0, 0xff, 0xff] },
        { PictureError.Truncated, "a size that the file cannot hold", File(Frame(0xc0, 4000, 4000, Grey), Whole, Bits(Block)) },
        { PictureError.Truncated, "the same, progressive", File(Frame(0xc2, 4000, 4000, Grey), First, Bits("0000")) },
        { PictureError.BadSegment, "a stray byte", [.. Start, .. Tables, 0, .. Good[2..]] },
        { PictureError.BadSegment, "a length of one", [.. Start, 0xff, 0xe0, 0, 1, .. Good[2..]] },
        { PictureError.BadSegment, "a marker below 0xC0", [.. Start, 0xff, 0x02, 0, 2, .. Good[2..]] },
        { PictureError.BadSegment, "a reserved marker", [.. Start, .. Segment(0xf0, []), .. Good[2..]] },
        { PictureError.BadSegment, "a second start", [.. Start, .. Good] },
        { PictureError.BadSegment, "a restart marker between segments", [.. Start, 0xff, 0xd0, .. Good[2..]] },
        { PictureError.BadSegment, "two frames", File(Frame8, Frame8, Whole, Bits(Block)) },
        { PictureError.BadSegment, "a scan before the frame", File(Whole, Bits(Block)) },
        { PictureError.BadSegment, "a frame of another length", File(Segment(0xc0, [8, 0, 8, 0, 8, 1, 1, 0x11]), Whole, Bits(Block)) },
        { PictureError.BadSegment, "an empty frame", File(Segment(0xc0, []), Whole, Bits(Block)) },
        { PictureError.BadSegment, "an empty scan header", File(Frame8, Segment(0xda, []), Bits(Block)) },
        { PictureError.BadSegment, "a scan of no components", File(Frame8, Segment(0xda, [0, 0, 63, 0]), Bits(Block)) },
        { PictureError.BadSegment, "a short divisor table", [.. Start, .. Segment(0xdb, [0, 1, 2]), .. Good[2..]] },
        { PictureError.BadSegment, "divisor table 4", [.. Start, .. Segment(0xdb, [4, .. new byte[64]]), .. Good[2..]] },
        { PictureError.BadSegment, "divisors of 24 bits", [.. Start, .. Segment(0xdb, [0x20, .. new byte[192]]), .. Good[2..]] },
        { PictureError.BadSegment, "a short code table", [.. Start, .. Segment(0xc4, new byte[16]), .. Good[2..]] },
        { PictureError.BadSegment, "codes without values", [.. Start, .. Segment(0xc4, [0, 1, .. new byte[15]]), .. Good[2..]] },
        { PictureError.BadSegment, "code table 4", [.. Start, .. Segment(0xc4, [4, .. new byte[16]]), .. Good[2..]] },
        { PictureError.BadSegment, "a third kind of codes", [.. Start, .. Segment(0xc4, [0x20, .. new byte[16]]), .. Good[2..]] },
        { PictureError.BadSegment, "257 codes", [.. Start, .. Segment(0xc4, [0, .. new byte[14], 2, 255, .. new byte[257]]), .. Good[2..]] },
        { PictureError.BadSegment, "a restart interval of three bytes", [.. Start, .. Segment(0xdd, [0, 1, 0]), .. Good[2..]] },
    };

    public static TheoryData<PictureError, string, byte[]> Kinds => new()
    {
        { PictureError.UnsupportedCoding, "lossless", File(Frame(0xc3, 8, 8, Grey), Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "hierarchical", File(Frame(0xc5, 8, 8, Grey), Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "arithmetic", File(Frame(0xc9, 8, 8, Grey), Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "arithmetic, progressive", File(Frame(0xca, 8, 8, Grey), Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "arithmetic conditioning", File(Segment(0xcc, [0, 0]), Frame8, Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "hierarchy", File(Segment(0xde, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]), Frame8, Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "12 bits", File(Frame(0xc1, 8, 8, Grey, precision: 12), Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "no height", File(Frame(0xc0, 8, 0, Grey), Whole, Bits(Block)) },
        { PictureError.UnsupportedCoding, "a height told late", File(Frame8, Whole, Bits(Block), Segment(0xdc, [0, 8])) },
        { PictureError.UnsupportedColors, "CMYK", File(Frame(0xc0, 8, 8, [.. Colours, 4, 0x11, 0]), Whole, Bits(Block)) },
        { PictureError.UnsupportedColors, "two components", File(Frame(0xc0, 8, 8, Colours[..6]), Whole, Bits(Block)) },
        { PictureError.UnsupportedColors, "no component", File(Frame(0xc0, 8, 8, []), Whole, Bits(Block)) },
        { PictureError.UnsupportedColors, "Adobe's third kind", File(Segment(0xee, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 2]), Colour8, All, Bits(Block + Block + Block)) },
        { PictureError.BadHeader, "no width", File(Frame(0xc0, 0, 8, Grey), Whole, Bits(Block)) },
        { PictureError.BadHeader, "16 bits", File(Frame(0xc0, 8, 8, Grey, precision: 16), Whole, Bits(Block)) },
        { PictureError.BadHeader, "factor 0", File(Frame(0xc0, 8, 8, [1, 0x10, 0]), Whole, Bits(Block)) },
        { PictureError.BadHeader, "factor 5", File(Frame(0xc0, 8, 8, [1, 0x51, 0]), Whole, Bits(Block)) },
        { PictureError.BadHeader, "divisor table 4", File(Frame(0xc0, 8, 8, [1, 0x11, 4]), Whole, Bits(Block)) },
        { PictureError.BadHeader, "one name twice", File(Frame(0xc0, 8, 8, [1, 0x11, 0, 2, 0x11, 0, 1, 0x11, 0]), All, Bits(Block)) },
        { PictureError.TooLarge, "a side", File(Frame(0xc0, 16_385, 1, Grey), Whole, Bits(Block)) },
        { PictureError.TooLarge, "pixels", File(Frame(0xc0, 65_535, 65_535, Grey), Whole, Bits(Block)) },
        { PictureError.BadTable, "a divisor of zero", File(Segment(0xdb, [0, .. new byte[64]]), Frame8, Whole, Bits(Block)) },
        { PictureError.BadTable, "three codes of one bit", File(Segment(0xc4, [0, 3, .. new byte[15], 0, 1, 2]), Frame8, Whole, Bits(Block)) },
        { PictureError.MissingTable, "no divisors", [.. Start, .. DcCodes, .. AcCodes, .. Frame8, .. Whole, .. Bits(Block), .. End] },
        { PictureError.MissingTable, "no first codes", [.. Start, .. Quantization, .. AcCodes, .. Frame8, .. Whole, .. Bits(Block), .. End] },
        { PictureError.MissingTable, "no other codes", [.. Start, .. Quantization, .. DcCodes, .. Frame8, .. Whole, .. Bits(Block), .. End] },
    };

    public static TheoryData<PictureError, string, byte[]> Scans => new()
    {
        { PictureError.BadScan, "an unknown component", File(Frame8, ScanHeader([2], 0, 63, 0), Bits(Block)) },
        { PictureError.BadScan, "more components than there are", File(Frame8, All, Bits(Block)) },
        { PictureError.BadScan, "components out of order", File(Colour8, ScanHeader([2, 1, 3], 0, 63, 0), Bits(Block)) },
        { PictureError.BadScan, "one component twice", File(Colour8, ScanHeader([1, 1], 0, 63, 0), Bits(Block)) },
        { PictureError.BadScan, "code table 4", File(Frame8, Segment(0xda, [1, 1, 0x40, 0, 63, 0]), Bits(Block)) },
        { PictureError.BadScan, "a band of a picture that is not progressive", File(Frame8, ScanHeader([1], 0, 5, 0), Bits(Block)) },
        { PictureError.BadScan, "a component sent twice", File(Frame8, Whole, Bits(Block), Whole, Bits(Block)) },
        { PictureError.BadScan, "twelve blocks a unit", File(Frame(0xc0, 8, 8, [1, 0x22, 0, 2, 0x22, 0, 3, 0x22, 0]), All, Bits(Block)) },
        { PictureError.BadScan, "no first coefficients", File(Progressive8, ScanHeader([1], 1, 63, 0), Bits("0")) },
        { PictureError.BadScan, "first and others together", File(Progressive8, Whole, Bits(Block)) },
        { PictureError.BadScan, "a band that ends before it begins", File(Progressive8, First, Bits("0000"), ScanHeader([1], 5, 4, 0), Bits("0")) },
        { PictureError.BadScan, "coefficient 64", File(Progressive8, First, Bits("0000"), ScanHeader([1], 5, 64, 0), Bits("0")) },
        { PictureError.BadScan, "bands of two components", File(Frame(0xc2, 8, 8, Colours), ScanHeader([1, 2, 3], 0, 0, 0), Bits("000000000000"), ScanHeader([1, 2], 1, 63, 0), Bits("0")) },
        { PictureError.BadScan, "a band sent twice", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 63, 0), Bits("0"), ScanHeader([1], 63, 63, 0), Bits("0")) },
        { PictureError.BadScan, "a bit before the ones above it", File(Progressive8, ScanHeader([1], 0, 0, 0x10), Bits("0")) },
        { PictureError.BadScan, "a bit left out", File(Progressive8, ScanHeader([1], 0, 0, 0x03), Bits("0000"), ScanHeader([1], 0, 0, 0x21), Bits("0")) },
        { PictureError.BadScan, "two bits at once", File(Progressive8, ScanHeader([1], 0, 0, 0x02), Bits("0000"), ScanHeader([1], 0, 0, 0x20), Bits("0")) },
        { PictureError.BadScan, "bit 14", File(Progressive8, ScanHeader([1], 0, 0, 0x0e), Bits("0000")) },
        { PictureError.BadPixelData, "no scan", File(Frame8) },
        { PictureError.BadPixelData, "no frame", File() },
        { PictureError.BadPixelData, "a component never sent", File(Colour8, ScanHeader([1, 2], 0, 63, 0), Bits(Block + Block)) },
        { PictureError.BadPixelData, "a band never sent", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 62, 0), Bits("0")) },
        { PictureError.BadPixelData, "a bit never sent", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 63, 1), Bits("0")) },
        { PictureError.BadPixelData, "too few blocks", File(Frame16, Whole, Bits(Block)) },
        { PictureError.BadPixelData, "too many bytes", File(Frame8, Whole, Bits(Block), [0]) },
        { PictureError.BadPixelData, "a code that is none", File(Frame8, Whole, Bits("1111111100000000000")) },
        { PictureError.BadPixelData, "64 zeros", File(Frame8, Whole, Bits("0000" + "10101010" + "0")) },
        { PictureError.BadPixelData, "category 15", File(Frame8, Whole, Bits("0000" + "1110" + "000000000000000" + "0")) },
        { PictureError.BadPixelData, "a run of a picture that is not progressive", File(Frame8, Whole, Bits("0000" + "11110" + "0000")) },
        { PictureError.BadPixelData, "a run beyond the picture", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 63, 0), Bits("11110" + "0000")) },
        { PictureError.BadPixelData, "a run beyond the band", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 5, 0), Bits("10")) },
        { PictureError.BadPixelData, "a value beyond 16 bits", File(Progressive8, ScanHeader([1], 0, 0, 0x0d), Bits("1011" + "11111111111")) },
        { PictureError.BadPixelData, "a step of more than one in a later bit", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 63, 0x01), Bits("0"), ScanHeader([1], 1, 63, 0x10), Bits("1110")) },
        { PictureError.BadPixelData, "a later bit beyond the band", File(Progressive8, First, Bits("0000"), ScanHeader([1], 1, 2, 0x01), Bits("0"), ScanHeader([1], 1, 2, 0x10), Bits("10")) },
        { PictureError.BadPixelData, "no restart marker", File(Segment(0xdd, [0, 1]), Frame16, Whole, Bits(Block + Block)) },
        { PictureError.BadPixelData, "another restart marker", File(Segment(0xdd, [0, 1]), Frame16, Whole, Bits(Block), [0xff, 0xd1], Bits(Block)) },
        { PictureError.BadPixelData, "a restart marker that is not due", File(Frame16, Whole, Bits(Block), [0xff, 0xd0], Bits(Block)) },
        { PictureError.BadSegment, "a restart marker after the last block", File(Segment(0xdd, [0, 1]), Frame8, Whole, Bits(Block), [0xff, 0xd0]) },
        { PictureError.TooManyScans, "65 scans", InScans(65) },
    };

    [Fact]
    public void TheUnbrokenFilesAreRead()
    {
        Assert.All(JpegReader.Read(Good).Rgb, sample => Assert.Equal(128, sample));
        Assert.Equal(192, PictureFile.Read(Good).Rgb.Length);
        Assert.Equal(16, JpegReader.Read(File(Segment(0xdd, [0, 1]), Frame16, Whole, Bits(Block), [0xff, 0xff, 0xd0], Bits(Block))).Width);
        Assert.Equal(8, JpegReader.Read(File(Colour8, All, Bits(Block + Block + Block))).Width);
        Assert.Equal(8, JpegReader.Read(File(Frame8, First, Bits(Block))).Width); // zeros where a scan header says 63, as some encoders write
        Assert.Equal(8, JpegReader.Read(InScans(64)).Width);
    }

    [Theory]
    [MemberData(nameof(Structure))]
    [MemberData(nameof(Kinds))]
    [MemberData(nameof(Scans))]
    public void BrokenFilesAreRefusedWithTheirNumber(PictureError error, string what, byte[] file)
    {
        PictureException refusal = Assert.Throws<PictureException>(() => JpegReader.Read(file));
        Assert.True(error == refusal.Error, $"{what}: {refusal.Error}, {refusal.Message}");
    }

    [Fact]
    public void LimitsAreTheCallers()
    {
        Assert.Equal(PictureError.TooLarge, Error(new PictureLimits { MaxFileBytes = Good.Length - 1 }));
        Assert.Equal(PictureError.TooLarge, Error(new PictureLimits { MaxPixels = 63 }));
        Assert.Equal(PictureError.TooLarge, Error(new PictureLimits { MaxSide = 7 }));
        Assert.Equal(8, JpegReader.Read(Good, new PictureLimits { MaxFileBytes = Good.Length, MaxPixels = 64, MaxSide = 8 }).Width);
        byte[] vast = File(Frame(0xc2, 65_535, 65_535, Colours), First, Bits("0000"));
        var none = new PictureLimits { MaxPixels = int.MaxValue, MaxSide = int.MaxValue };
        Assert.Equal(PictureError.TooLarge, Assert.Throws<PictureException>(() => JpegReader.Read(vast, none)).Error);
        static PictureError Error(PictureLimits limits) => Assert.Throws<PictureException>(() => JpegReader.Read(Good, limits)).Error;
    }

    [Fact]
    public void APictureOfNoKnownFormatIsRefused() =>
        Assert.Equal(PictureError.NotPicture, Assert.Throws<PictureException>(() => PictureFile.Read("GIF89a"u8)).Error);

    // The first coefficients but for a bit, the others one by one, then the bit.
    private static byte[] InScans(int count)
    {
        var file = new List<byte>([.. Progressive8, .. ScanHeader([1], 0, 0, 1), .. Bits("0000")]);
        for (byte k = 1; k < count - 1; k++)
            file.AddRange([.. ScanHeader([1], k, k == count - 2 ? (byte)63 : k, 0), .. Bits("0")]);
        return File([.. file], ScanHeader([1], 0, 0, 0x10), Bits("0"));
    }

    private static byte[] File(params byte[][] parts) => [.. Start, .. Tables, .. parts.SelectMany(part => part), .. End];
}
