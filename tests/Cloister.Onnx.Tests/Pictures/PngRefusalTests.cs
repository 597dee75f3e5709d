using Cloister.Onnx.Pictures;

namespace Cloister.Onnx.Tests.Pictures;

public class PngRefusalTests
{
    private static readonly byte[] Start = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];
    private static readonly byte[] End = TestPng.Chunk("IEND", []);
    private static readonly byte[] Header = TestPng.Chunk("IHDR", Fields(2, 1, 8, 0));
    private static readonly byte[] Data = TestPng.Chunk("IDAT", TestPng.Deflate([0, 1, 2]));
    private static readonly byte[] Good = [.. Start, .. Header, .. Data, .. End];

    public static TheoryData<PictureError, byte[]> Refused => new()
    {
        { PictureError.NotPng, [] },
        { PictureError.NotPng, "GIF89a, which is not read"u8.ToArray() },
        { PictureError.Truncated, Start },
        { PictureError.Truncated, Good[..^1] },
        { PictureError.Truncated, [.. Start, .. Header, .. Data] },
        { PictureError.Truncated, [.. Start, 0xff, 0xff, 0xff, 0xff, .. Header[4..]] },
        { PictureError.BadChecksum, [.. Good[..^1], (byte)(Good[^1] ^ 1)] },
        { PictureError.BadChecksum, Flip(Good, 20) },
        { PictureError.TrailingBytes, [.. Good, 0] },
        { PictureError.BadChunk, [.. Start, .. End] },
        { PictureError.BadChunk, [.. Start, .. Data, .. Header, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. Header, .. Data, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. Data, .. TestPng.Chunk("tEXt", []), .. Data, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. TestPng.Chunk("ABCD", []), .. Data, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. TestPng.Chunk("PLTE", new byte[3]), .. Data, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. TestPng.Chunk("tRNS", new byte[3]), .. Data, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. Data, .. TestPng.Chunk("tRNS", new byte[2]), .. End] },
        { PictureError.BadChunk, [.. Start, .. TestPng.Chunk("IHDR", [.. Fields(2, 1, 8, 0), 0]), .. Data, .. End] },
        { PictureError.BadChunk, [.. Start, .. Header, .. Data, .. TestPng.Chunk("IEND", [1])] },
        { PictureError.BadChunk, File(Fields(1, 1, 8, 3), TestPng.Chunk("PLTE", new byte[4])) },
        { PictureError.BadChunk, File(Fields(1, 1, 8, 3), TestPng.Chunk("PLTE", new byte[771])) },
        { PictureError.BadChunk, File(Fields(1, 1, 8, 3), [.. TestPng.Chunk("PLTE", new byte[3]), .. TestPng.Chunk("tRNS", new byte[2])]) },
        { PictureError.BadHeader, File(Fields(0, 1, 8, 0)) },
        { PictureError.BadHeader, File(Fields(1, 0, 8, 0)) },
        { PictureError.BadHeader, File(Fields(1, 1, 3, 0)) },
        { PictureError.BadHeader, File(Fields(1, 1, 4, 2)) },
        { PictureError.BadHeader, File(Fields(1, 1, 16, 3)) },
        { PictureError.BadHeader, File(Fields(1, 1, 8, 1)) },
        { PictureError.BadHeader, File(Fields(1, 1, 8, 0, 1)) },
        { PictureError.BadHeader, File(Fields(1, 1, 8, 0, 0, 1)) },
        { PictureError.BadHeader, File(Fields(1, 1, 8, 0, 0, 0, 2)) },
        { PictureError.TooLarge, File(Fields(16_385, 1, 8, 0)) },
        { PictureError.TooLarge, File(Fields(5000, 5000, 8, 0)) },
        { PictureError.TooLarge, File(Fields(-1, -1, 8, 0)) },
        { PictureError.BadPixelData, File(Fields(3000, 3000, 8, 0)) },
        { PictureError.BadPixelData, File(Fields(3, 1, 8, 0)) },
        { PictureError.BadPixelData, File(Fields(1, 1, 8, 0)) },
        { PictureError.BadPixelData, [.. Start, .. Header, .. TestPng.Chunk("IDAT", []), .. End] },
        { PictureError.BadPixelData, [.. Start, .. Header, .. TestPng.Chunk("IDAT", "not zlib"u8), .. End] },
        { PictureError.BadPixelData, [.. Start, .. Header, .. TestPng.Chunk("IDAT", TestPng.Deflate([5, 1, 2])), .. End] },
        { PictureError.BadPixelData, [.. Start, .. Header, .. TestPng.Chunk("IDAT", TestPng.Deflate([0, 1, 2]).AsSpan(..^4)), .. End] },
        { PictureError.BadPixelData, [.. Start, .. Header, .. TestPng.Chunk("IDAT", TestPng.Deflate([0, 1, 2]).AsSpan(..^1)), .. End] },
        { PictureError.BadPixelData, [.. Start, .. Header, .. TestPng.Chunk("IDAT", [.. TestPng.Deflate([0, 1, 2]), 9]), .. End] },
        { PictureError.BadPalette, File(Fields(2, 1, 8, 3)) },
        { PictureError.BadPalette, File(Fields(2, 1, 8, 3), TestPng.Chunk("PLTE", new byte[6])) },
    };

    [Fact]
    public void TheUnbrokenFileIsRead() => Assert.Equal([1, 1, 1, 2, 2, 2], PngReader.Read(Good).Rgb);

    [Theory]
    [MemberData(nameof(Refused))]
    public void BrokenFilesAreRefusedWithTheirNumber(PictureError error, byte[] file) =>
        Assert.Equal(error, Assert.Throws<PictureException>(() => PngReader.Read(file)).Error);

    [Fact]
    public void LimitsAreTheCallers()
    {
        Assert.Equal(PictureError.TooLarge, Error(new PictureLimits { MaxFileBytes = Good.Length - 1 }));
        Assert.Equal(PictureError.TooLarge, Error(new PictureLimits { MaxPixels = 1 }));
        Assert.Equal(PictureError.TooLarge, Error(new PictureLimits { MaxSide = 1 }));
        Assert.Equal(2, PngReader.Read(Good, new PictureLimits { MaxFileBytes = Good.Length, MaxPixels = 2, MaxSide = 2 }).Width);
        static PictureError Error(PictureLimits limits) => Assert.Throws<PictureException>(() => PngReader.Read(Good, limits)).Error;
    }

    [Fact]
    public void TheNumbersOfRefusalsAreStable() => Assert.Equal(
        "101 102 103 104 105 106 107 108 201 202 203 204 205 206 207 208 209 210 301 302 303",
        string.Join(' ', Enum.GetValues<PictureError>().Select(error => (int)error)));

    private static byte[] File(byte[] header, byte[]? between = null) =>
        [.. Start, .. TestPng.Chunk("IHDR", header), .. between ?? [], .. Data, .. End];

    private static byte[] Flip(byte[] bytes, int at)
    {
        byte[] flipped = [.. bytes];
        flipped[at] ^= 1;
        return flipped;
    }

    private static byte[] Fields(int width, int height, byte depth, byte color, byte compression = 0, byte filter = 0, byte interlace = 0)
    {
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, depth, color, compression, filter, interlace];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header, width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        return header;
    }
}
