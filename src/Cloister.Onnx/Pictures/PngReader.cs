using System.Buffers.Binary;
using System.IO.Compression;
using Cloister.Onnx.Pictures.Png;

namespace Cloister.Onnx.Pictures;

/// <summary>
/// Reads PNG pictures (https://www.w3.org/TR/png-3/): every colour type and depth, transparency, Adam7. Transparent pixels are laid
/// over white; 16-bit samples are rounded to 8; colour profiles and gamma are not applied.
/// </summary>
public static class PngReader
{
    // A byte of deflate gives at most 1032 (https://zlib.net/zlib_tech.html), so that few bytes cannot ask for much memory.
    private const long LargestRatio = 1032;

    /// <summary>Reads one picture. The whole of <paramref name="file"/> must be that picture.</summary>
    /// <exception cref="PictureException">The bytes are not a PNG picture within the limits.</exception>
    public static Picture Read(ReadOnlySpan<byte> file, PictureLimits? limits = null)
    {
        PngFile png = PngFile.Parse(file, limits ?? PictureLimits.Default);
        PngHeader header = png.Header;
        IReadOnlyList<PngPass> passes = PngPass.Of(header);
        long needed = passes.Sum(pass => (1L + header.RowBytes(pass.Width)) * pass.Height);
        if (needed > png.Compressed.Length * LargestRatio)
            throw TooFew();
        byte[] rgb = new byte[3 * header.Width * header.Height];
        var pixels = new PngPixels(png);
        try
        {
            using var inflated = new ZLibStream(new MemoryStream(png.Compressed, writable: false), CompressionMode.Decompress);
            uint checksum = 1;
            foreach (PngPass pass in passes)
                checksum = ReadPass(inflated, header, pass, pixels, rgb, checksum);
            if (inflated.ReadByte() >= 0)
                throw new PictureException(PictureError.BadPixelData, "There are more pixels than the header says.");
            // The stream stops without a word where its own checksum is cut off or followed by other bytes.
            if (png.Compressed.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(png.Compressed.AsSpan(png.Compressed.Length - 4)) != checksum)
                throw new PictureException(PictureError.BadPixelData, "The checksum of the pixels is wrong; the file is damaged.");
        }
        catch (InvalidDataException exception)
        {
            throw new PictureException(PictureError.BadPixelData, "The compressed pixels do not inflate; the file is damaged.", exception);
        }

        return new Picture(header.Width, header.Height, rgb);
    }

    /// <summary>For fuzzing: reads anything small, and whatever was accepted must survive being written and read again.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> file)
    {
        try
        {
            Picture picture = Read(file, new PictureLimits { MaxFileBytes = 1 << 20, MaxPixels = 1 << 20, MaxSide = 4096 });
            if (!Read(PngWriter.Write(picture)).Rgb.AsSpan().SequenceEqual(picture.Rgb))
                throw new InvalidOperationException("A picture written reads back differently.");
        }
        catch (PictureException)
        {
            // The documented refusal.
        }
    }

    private static uint ReadPass(ZLibStream inflated, PngHeader header, PngPass pass, PngPixels pixels, byte[] rgb, uint checksum)
    {
        // One byte of filter type, then the row; two of them, as a row is filtered against the one above.
        byte[] row = new byte[1 + header.RowBytes(pass.Width)], above = new byte[row.Length];
        for (int y = 0; y < pass.Height; y++)
        {
            if (inflated.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length)
                throw TooFew();
            checksum = PngChecksum.Adler(checksum, row);
            PngFilter.Undo(row[0], row.AsSpan(1), above.AsSpan(1), header.FilterDistance);
            int first = (pass.Y + y * pass.StepY) * header.Width + pass.X;
            pixels.Decode(row.AsSpan(1), pass.Width, rgb, 3 * first, 3 * pass.StepX);
            (row, above) = (above, row);
        }

        return checksum;
    }

    private static PictureException TooFew() => new(PictureError.BadPixelData, "There are fewer pixels than the header says.");
}
