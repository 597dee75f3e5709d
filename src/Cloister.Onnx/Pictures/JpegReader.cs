using Cloister.Onnx.Pictures.Jpeg;

namespace Cloister.Onnx.Pictures;

/// <summary>
/// Reads JPEG pictures (ITU-T T.81): baseline, extended and progressive with Huffman codes, 8 bits a sample, grey or three colours (YCbCr,
/// or RGB by Adobe's marker), any sampling factors. The Exif orientation is applied; colour profiles are not. Bytes after the end of the
/// picture are passed over, since cameras put previews and films there; a picture that is cut off or damaged is refused, never filled up.
/// </summary>
public static class JpegReader
{
    /// <summary>Reads one picture.</summary>
    /// <exception cref="PictureException">The bytes are not a JPEG picture of these kinds within the limits.</exception>
    public static Picture Read(ReadOnlySpan<byte> file, PictureLimits? limits = null) => JpegFile.Read(file, limits ?? PictureLimits.Default);

    /// <summary>For fuzzing: reads anything small, and what was accepted must give the same pixels whatever follows it.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> file)
    {
        var limits = new PictureLimits { MaxFileBytes = 1 << 20, MaxPixels = 1 << 18, MaxSide = 4096 };
        try
        {
            byte[] pixels = Read(file, limits).Rgb;
            if (!Read([.. file, 0xff, 0xd8], limits).Rgb.AsSpan().SequenceEqual(pixels))
                throw new InvalidOperationException("A picture followed by other bytes reads differently.");
        }
        catch (PictureException)
        {
            // The documented refusal.
        }
    }
}
