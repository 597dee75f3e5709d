using System.Buffers.Binary;
using System.IO.Compression;
using Cloister.Onnx.Pictures.Png;

namespace Cloister.Onnx.Pictures;

/// <summary>Writes PNG pictures: 8-bit RGB, not interlaced. The pixels survive exactly; the compressed bytes depend on the platform's zlib.</summary>
public static class PngWriter
{
    private const int Paeth = 4;

    /// <summary>Writes one picture.</summary>
    public static byte[] Write(Picture picture)
    {
        using var file = new MemoryStream();
        file.Write(PngFile.Signature);
        Span<byte> header = stackalloc byte[PngHeader.Size];
        header.Clear();
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], picture.Height);
        header[8] = 8;
        header[9] = (byte)PngColor.Rgb;
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, Compress(picture));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Compress(Picture picture)
    {
        using var compressed = new MemoryStream();
        using (var deflater = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            int rowBytes = 3 * picture.Width;
            byte[] filtered = new byte[1 + rowBytes], blank = new byte[rowBytes];
            filtered[0] = Paeth;
            for (int y = 0; y < picture.Height; y++)
            {
                ReadOnlySpan<byte> row = picture.Rgb.AsSpan(y * rowBytes, rowBytes);
                ReadOnlySpan<byte> above = y == 0 ? blank : picture.Rgb.AsSpan((y - 1) * rowBytes, rowBytes);
                for (int i = 0; i < rowBytes; i++)
                    filtered[1 + i] = (byte)(row[i] - (i < 3 ? above[i] : PngFilter.Paeth(row[i - 3], above[i], above[i - 3])));
                deflater.Write(filtered);
            }
        }

        return compressed.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> content)
    {
        byte[] chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        type.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(content.Length + 8), PngChecksum.Crc(chunk.AsSpan(4, content.Length + 4)));
        file.Write(chunk);
    }
}
