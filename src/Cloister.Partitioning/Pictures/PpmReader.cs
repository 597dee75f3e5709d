using Cloister.Onnx.Pictures;

namespace Cloister.Partitioning.Pictures;

/// <summary>Reads binary PPM and PGM pictures of 8 bits (https://netpbm.sourceforge.net/doc/ppm.html): <c>P6</c> and <c>P5</c>, one picture a file.</summary>
public static class PpmReader
{
    /// <summary>Whether the bytes begin as such a file does.</summary>
    public static bool Recognises(ReadOnlySpan<byte> file) => file.Length > 2 && file[0] == 'P' && file[1] is (byte)'5' or (byte)'6' && IsSpace(file[2]);

    /// <summary>Reads one picture. The whole of <paramref name="file"/> must be that picture.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.PicturesRefused"/>.</exception>
    public static Picture Read(ReadOnlySpan<byte> file, PictureLimits? limits = null)
    {
        limits ??= PictureLimits.Default;
        if (!Recognises(file)) throw Refused("the bytes do not begin with P5 or P6.");
        int at = 2;
        int width = Number(file, ref at), height = Number(file, ref at), maximum = Number(file, ref at);
        if (width is 0 || height is 0 || width > limits.MaxSide || height > limits.MaxSide || (long)width * height > limits.MaxPixels)
            throw Refused($"it is {width} x {height}; at most {limits.MaxPixels:N0} pixels are read.");
        if (maximum is < 1 or > 255) throw Refused($"its largest sample is {maximum}; 1 to 255 are read.");
        if (at >= file.Length || !IsSpace(file[at])) throw Refused("no white space ends its header.");
        ReadOnlySpan<byte> samples = file[(at + 1)..];
        int channels = file[1] == '6' ? 3 : 1;
        if (samples.Length != (long)channels * width * height) throw Refused($"{samples.Length} bytes follow the header of a picture that needs {(long)channels * width * height}.");
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.Length; i++)
        {
            int sample = samples[channels == 3 ? i : i / 3];
            if (sample > maximum) throw Refused("a sample is larger than the header's maximum.");
            rgb[i] = (byte)((sample * 255 + maximum / 2) / maximum);
        }
        return new Picture(width, height, rgb);
    }

    /// <summary>For fuzzing: never throws anything but the refusal.</summary>
    public static void Fuzz(ReadOnlySpan<byte> file)
    {
        try
        {
            _ = Read(file, new PictureLimits { MaxPixels = 1 << 20, MaxSide = 4096 });
        }
        catch (PartitioningException refusal) when (refusal.Error == PartitioningError.PicturesRefused)
        {
            _ = refusal.Message;
        }
    }

    // White space and comments, then digits. Seven of them are more than any side has.
    private static int Number(ReadOnlySpan<byte> file, ref int at)
    {
        int from = at;
        while (at < file.Length && (IsSpace(file[at]) || file[at] == '#'))
        {
            if (file[at] == '#')
                while (at < file.Length && file[at] != '\n') at++;
            else
                at++;
        }
        if (at == from) throw Refused("its header is not of numbers.");
        int value = 0, digits = 0;
        for (; at < file.Length && char.IsAsciiDigit((char)file[at]); at++)
        {
            if (++digits > 7) throw Refused("a number of its header is too large.");
            value = 10 * value + (file[at] - '0');
        }
        return digits > 0 ? value : throw Refused("its header is not of numbers.");
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or >= 9 and <= 13;

    private static PartitioningException Refused(string why) => new(PartitioningError.PicturesRefused, "The PPM picture is refused: " + why);
}
