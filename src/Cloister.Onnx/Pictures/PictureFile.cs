using Cloister.Onnx.Pictures.Jpeg;
using Cloister.Onnx.Pictures.Png;

namespace Cloister.Onnx.Pictures;

/// <summary>Reads a picture of any format that is read, told by its first bytes: PNG (<see cref="PngReader"/>) or JPEG (<see cref="JpegReader"/>).</summary>
public static class PictureFile
{
    /// <summary>Reads one picture.</summary>
    /// <param name="file">The file's content.</param>
    /// <param name="limits">What is spent on it at most; <see cref="PictureLimits.Default"/> where none are given.</param>
    /// <exception cref="PictureException">The bytes are no picture that is read, or not within the limits.</exception>
    public static Picture Read(ReadOnlySpan<byte> file, PictureLimits? limits = null)
    {
        if (file.StartsWith(JpegFile.Signature))
            return JpegReader.Read(file, limits);
        if (file.StartsWith(PngFile.Signature))
            return PngReader.Read(file, limits);
        throw new PictureException(PictureError.NotPicture, "The bytes begin as neither a PNG nor a JPEG file does; only these are read.");
    }
}
