using System.Buffers.Binary;
using System.IO.Compression;
using Cloister.Onnx.Pictures.Png;

namespace Cloister.Onnx.Tests.Pictures;

/// <summary>Encodes PNGs of every kind by the letter of the specification, sharing nothing with the reader but the checksum.</summary>
internal sealed class TestPng(int width, int height, int color, int depth, bool interlaced, Random random)
{
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    private int Channels => color switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    public byte[] Palette { get; init; } = [];

    public byte[]? Transparency { get; init; }

    /// <summary>Samples by row, column, channel.</summary>
    public int[,,] Samples { get; private init; } = new int[0, 0, 0];

    public static TestPng Make(int width, int height, int color, int depth, bool interlaced, bool transparency, int seed)
    {
        var random = new Random(seed);
        int channels = new TestPng(1, 1, color, depth, false, random).Channels;
        int entries = color == 3 ? random.Next(1, (1 << depth) + 1) : 0;
        byte[] palette = new byte[3 * entries];
        random.NextBytes(palette);
        int[,,] samples = new int[height, width, channels];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < channels; c++)
                    samples[y, x, c] = random.Next(color == 3 ? entries : 1 << depth);
        byte[]? trns = null;
        if (transparency && color == 3)
            random.NextBytes(trns = new byte[random.Next(1, entries + 1)]);
        else if (transparency && color is 0 or 2)
            trns = [.. Enumerable.Range(0, channels).SelectMany(c => new byte[] { (byte)(samples[0, 0, c] >> 8), (byte)samples[0, 0, c] })];
        return new TestPng(width, height, color, depth, interlaced, random) { Palette = palette, Transparency = trns, Samples = samples };
    }

    public byte[] ExpectedRgb()
    {
        var rgb = new List<byte>();
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                rgb.AddRange(ExpectedPixel(y, x));
        return [.. rgb];
    }

    public byte[] Encode()
    {
        var file = new List<byte>([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        file.AddRange(Chunk("IHDR", Header()));
        file.AddRange(Chunk("tEXt", "a\0b"u8));
        if (Palette.Length > 0)
            file.AddRange(Chunk("PLTE", Palette));
        if (Transparency is not null)
            file.AddRange(Chunk("tRNS", Transparency));
        byte[] data = Deflate(Scanlines());
        int cut = random.Next(data.Length + 1);
        file.AddRange(Chunk("IDAT", data.AsSpan(0, cut)));
        file.AddRange(Chunk("IDAT", []));
        file.AddRange(Chunk("IDAT", data.AsSpan(cut)));
        file.AddRange(Chunk("IEND", []));
        return [.. file];
    }

    public byte[] Header()
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = (byte)depth;
        header[9] = (byte)color;
        header[12] = (byte)(interlaced ? 1 : 0);
        return header;
    }

    public byte[] Scanlines()
    {
        var all = new List<byte>();
        foreach ((int startX, int startY, int stepX, int stepY) in interlaced ? Adam7 : [(0, 0, 1, 1)])
        {
            byte[]? above = null;
            for (int y = startY; y < height && startX < width; y += stepY)
            {
                byte[] row = Row(y, startX, stepX);
                all.AddRange(Filtered(random.Next(5), row, above ?? new byte[row.Length]));
                above = row;
            }
        }

        return [.. all];
    }

    public static byte[] Chunk(string type, ReadOnlySpan<byte> content)
    {
        byte[] chunk = [0, 0, 0, 0, .. System.Text.Encoding.ASCII.GetBytes(type), .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), PngChecksum.Crc(chunk.AsSpan(4, content.Length + 4)));
        return chunk;
    }

    public static byte[] Deflate(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            stream.Write(bytes);
        return compressed.ToArray();
    }

    private IEnumerable<byte> ExpectedPixel(int y, int x)
    {
        double most = (1 << depth) - 1;
        double[] rgb;
        double alpha = 1;
        if (color == 3)
        {
            int index = Samples[y, x, 0];
            rgb = [Palette[3 * index] / 255.0, Palette[3 * index + 1] / 255.0, Palette[3 * index + 2] / 255.0];
            if (index < Transparency?.Length)
                alpha = Transparency[index] / 255.0;
        }
        else
        {
            rgb = [.. Enumerable.Range(0, 3).Select(c => Samples[y, x, color is 2 or 6 ? c : 0] / most)];
            if (color is 4 or 6)
                alpha = Samples[y, x, Channels - 1] / most;
            else if (Transparency is not null && Enumerable.Range(0, Channels).All(c => Samples[y, x, c] == Samples[0, 0, c]))
                alpha = 0;
        }

        // Samples and alpha are brought to 8 bits before they are mixed.
        double alpha8 = Math.Floor(alpha * 255 + 0.5);
        return rgb.Select(value => (byte)Math.Floor((Math.Floor(value * 255 + 0.5) * alpha8 + 255 * (255 - alpha8)) / 255 + 0.5));
    }

    private byte[] Row(int y, int startX, int stepX)
    {
        var bits = new List<bool>();
        for (int x = startX; x < width; x += stepX)
            for (int c = 0; c < Channels; c++)
                for (int bit = depth - 1; bit >= 0; bit--)
                    bits.Add((Samples[y, x, c] >> bit & 1) != 0);
        byte[] row = new byte[(bits.Count + 7) / 8];
        for (int i = 0; i < bits.Count; i++)
            row[i / 8] |= (byte)(bits[i] ? 0x80 >> i % 8 : 0);
        return row;
    }

    private byte[] Filtered(int filter, byte[] row, byte[] above)
    {
        int distance = Math.Max(1, Channels * depth / 8);
        byte[] result = [(byte)filter, .. row];
        for (int i = 0; i < row.Length; i++)
        {
            int a = i < distance ? 0 : row[i - distance], b = above[i], c = i < distance ? 0 : above[i - distance];
            int p = a + b - c;
            int paeth = Math.Abs(p - a) <= Math.Abs(p - b) && Math.Abs(p - a) <= Math.Abs(p - c) ? a : Math.Abs(p - b) <= Math.Abs(p - c) ? b : c;
            result[i + 1] -= (byte)(filter switch { 0 => 0, 1 => a, 2 => b, 3 => (a + b) / 2, _ => paeth });
        }

        return result;
    }
}
