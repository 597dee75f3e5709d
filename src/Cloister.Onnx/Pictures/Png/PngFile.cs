using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Png;

/// <summary>A PNG file taken apart into its chunks, each with its checksum verified (PNG, 5). Pixels are still compressed.</summary>
internal sealed class PngFile
{
    private const uint Ihdr = 0x49484452, Plte = 0x504C5445, Idat = 0x49444154, Iend = 0x49454E44, Trns = 0x74524E53;
    private const int Overhead = 12;

    private PngFile(PngHeader header, byte[] palette, byte[]? transparency, byte[] compressed)
    {
        Header = header;
        Palette = palette;
        Transparency = transparency;
        Compressed = compressed;
    }

    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    public PngHeader Header { get; }

    public byte[] Palette { get; }

    public byte[]? Transparency { get; }

    public byte[] Compressed { get; }

    public static PngFile Parse(ReadOnlySpan<byte> file, PictureLimits limits)
    {
        if (file.Length > limits.MaxFileBytes)
            throw new PictureException(PictureError.TooLarge, $"The file has {file.Length} bytes; at most {limits.MaxFileBytes} are read.");
        if (!file.StartsWith(Signature))
            throw new PictureException(PictureError.NotPng, "The bytes do not begin with PNG's signature.");
        ReadOnlySpan<byte> rest = file[Signature.Length..];
        PngHeader? header = null;
        byte[]? palette = null, transparency = null;
        using var compressed = new MemoryStream();
        bool pixels = false, pixelsEnded = false;
        while (true)
        {
            ReadOnlySpan<byte> content = Next(ref rest, out uint type);
            if (header is null != (type == Ihdr))
                throw Misplaced(type);
            pixelsEnded |= pixels && type != Idat;
            switch (type)
            {
                case Ihdr:
                    if (content.Length != PngHeader.Size)
                        throw Misplaced(type);
                    header = PngHeader.Parse(content, limits);
                    break;
                case Plte:
                    if (palette is not null || pixels || transparency is not null || header!.Color is PngColor.Grey or PngColor.GreyAlpha
                        || content.Length is 0 or > 768 || content.Length % 3 != 0)
                        throw Misplaced(type);
                    palette = content.ToArray();
                    break;
                case Trns:
                    if (transparency is not null || pixels || !TransparencyFits(header!, content.Length, palette))
                        throw Misplaced(type);
                    transparency = content.ToArray();
                    break;
                case Idat:
                    if (pixelsEnded)
                        throw Misplaced(type);
                    pixels = true;
                    compressed.Write(content);
                    break;
                case Iend:
                    if (!pixels || content.Length != 0)
                        throw Misplaced(type);
                    if (!rest.IsEmpty)
                        throw new PictureException(PictureError.TrailingBytes, $"{rest.Length} bytes follow the end of the picture.");
                    if (header!.Color == PngColor.Palette && palette is null)
                        throw new PictureException(PictureError.BadPalette, "The picture needs a palette and has none.");
                    return new PngFile(header, palette ?? [], transparency, compressed.ToArray());
                default:
                    // A capital first letter marks a chunk without which the picture cannot be understood (PNG, 5.4).
                    if ((type >> 24 & 0x20) == 0)
                        throw Misplaced(type);
                    break;
            }
        }
    }

    private static bool TransparencyFits(PngHeader header, int length, byte[]? palette) => header.Color switch
    {
        PngColor.Grey => length == 2,
        PngColor.Rgb => length == 6,
        PngColor.Palette => palette is not null && length >= 1 && length <= palette.Length / 3,
        _ => false,
    };

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest, out uint type)
    {
        if (rest.Length < Overhead)
            throw new PictureException(PictureError.Truncated, "The file ends before the picture does.");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        type = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
        if (length > (uint)(rest.Length - Overhead))
            throw new PictureException(PictureError.Truncated, $"Chunk {Name(type)} claims {length} bytes and {rest.Length - Overhead} are left.");
        ReadOnlySpan<byte> content = rest.Slice(8, (int)length);
        if (PngChecksum.Crc(rest.Slice(4, (int)length + 4)) != BinaryPrimitives.ReadUInt32BigEndian(rest[((int)length + 8)..]))
            throw new PictureException(PictureError.BadChecksum, $"The checksum of chunk {Name(type)} is wrong; the file is damaged.");
        rest = rest[((int)length + Overhead)..];
        return content;
    }

    private static PictureException Misplaced(uint type) =>
        new(PictureError.BadChunk, $"Chunk {Name(type)} is unknown, repeated, of a wrong size, or in a wrong place.");

    private static string Name(uint type) => string.Concat(
        Enumerable.Range(0, 4).Select(i => (char)(type >> 24 - 8 * i & 0xff)).Select(letter => char.IsAsciiLetter(letter) ? letter : '?'));
}
