using System.Buffers.Binary;

namespace Cloister.Onnx.Tests.Pictures;

/// <summary>Writes RGB JPEGs whose blocks are of one value each, by the letter of T.81, and segments to break them with. Shares nothing with the reader.</summary>
internal sealed class TestJpeg
{
    public static readonly byte[] Start = [0xff, 0xd8], End = [0xff, 0xd9];

    /// <summary>Divisors of 8: a first coefficient is the distance of its block's samples from 128.</summary>
    public static readonly byte[] Quantization = Segment(0xdb, [0, .. Enumerable.Repeat((byte)8, 64)]);

    /// <summary>Codes of four bits for the categories 0 to 11 of first coefficients.</summary>
    public static readonly byte[] DcCodes = Segment(0xc4, [0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. Enumerable.Range(0, 12).Select(i => (byte)i)]);

    /// <summary>Codes for the others: 0 ends the block (or the run of one), 10 is 16 zeros, 110 a one, 1110 category 15, 11110 a run of 16 to 31 blocks.</summary>
    public static readonly byte[] AcCodes = Segment(0xc4, [0x10, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0xf0, 0x01, 0x0f, 0x40]);

    private readonly int[] _factors;
    private readonly int[][,] _blocks;

    private TestJpeg(int width, int height, int[] factors, int[][,] blocks) => (Width, Height, _factors, _blocks) = (width, height, factors, blocks);

    public int Width { get; }

    public int Height { get; }

    private int MostAcross => Math.Max(_factors[0], Math.Max(_factors[2], _factors[4]));

    private int MostDown => Math.Max(_factors[1], Math.Max(_factors[3], _factors[5]));

    /// <summary>Draws a picture.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="factors">Horizontal and vertical sampling factors of red, green, blue.</param>
    /// <param name="random">Where the values come from.</param>
    public static TestJpeg Make(int width, int height, int[] factors, Random random)
    {
        var jpeg = new TestJpeg(width, height, factors, new int[3][,]);
        int down = Units(height, jpeg.MostDown), across = Units(width, jpeg.MostAcross);
        for (int c = 0; c < 3; c++)
        {
            jpeg._blocks[c] = new int[down * factors[2 * c + 1], across * factors[2 * c]];
            for (int y = 0; y < jpeg._blocks[c].GetLength(0); y++)
                for (int x = 0; x < jpeg._blocks[c].GetLength(1); x++) jpeg._blocks[c][y, x] = random.Next(-128, 128);
        }

        return jpeg;
    }

    public byte[] ExpectedRgb()
    {
        byte[] rgb = new byte[3 * Width * Height];
        for (int i = 0; i < rgb.Length; i++)
        {
            int c = i % 3, x = i / 3 % Width, y = i / 3 / Width;
            rgb[i] = (byte)(128 + _blocks[c][y * _factors[2 * c + 1] / MostDown / 8, x * _factors[2 * c] / MostAcross / 8]);
        }

        return rgb;
    }

    public byte[] Encode()
    {
        byte[] adobe = Segment(0xee, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]);
        byte[] frame = Frame(0xc1, Width, Height, [.. Enumerable.Range(0, 3).SelectMany(c => new[] { (byte)c, (byte)(_factors[2 * c] << 4 | _factors[2 * c + 1]), (byte)0 })]);
        return [.. Start, .. adobe, .. Quantization, .. DcCodes, .. AcCodes, .. frame, .. ScanHeader([0, 1, 2], 0, 63, 0), .. Pixels(), .. End];
    }

    public static byte[] Segment(byte marker, ReadOnlySpan<byte> content) =>
        [0xff, marker, (byte)(content.Length + 2 >> 8), (byte)(content.Length + 2), .. content];

    /// <summary>A frame header; three bytes a component.</summary>
    public static byte[] Frame(byte marker, int width, int height, byte[] components, byte precision = 8)
    {
        byte[] fields = [precision, 0, 0, 0, 0, (byte)(components.Length / 3), .. components];
        BinaryPrimitives.WriteUInt16BigEndian(fields.AsSpan(1), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(fields.AsSpan(3), (ushort)width);
        return Segment(marker, fields);
    }

    /// <summary>A scan header with tables 0 throughout.</summary>
    public static byte[] ScanHeader(byte[] components, byte from, byte to, byte bits) =>
        Segment(0xda, [(byte)components.Length, .. components.SelectMany(id => new byte[] { id, 0 }), from, to, bits]);

    /// <summary>Bits of a text of 0 and 1, filled up with ones, a zero after each 0xFF.</summary>
    public static byte[] Bits(string text)
    {
        var bytes = new List<byte>();
        for (int at = 0; at < text.Length; at += 8)
        {
            byte value = Convert.ToByte(text[at..Math.Min(at + 8, text.Length)].PadRight(8, '1'), 2);
            bytes.Add(value);
            if (value == 0xff) bytes.Add(0);
        }

        return [.. bytes];
    }

    private static int Units(int pixels, int factor) => (pixels + 8 * factor - 1) / (8 * factor);

    private byte[] Pixels()
    {
        var bits = new System.Text.StringBuilder();
        int[] last = new int[3];
        for (int unit = 0; unit < Units(Width, MostAcross) * Units(Height, MostDown); unit++)
        {
            int row = unit / Units(Width, MostAcross), column = unit % Units(Width, MostAcross);
            for (int c = 0; c < 3; c++)
                for (int v = 0; v < _factors[2 * c + 1]; v++)
                    for (int h = 0; h < _factors[2 * c]; h++)
                    {
                        int value = _blocks[c][row * _factors[2 * c + 1] + v, column * _factors[2 * c] + h];
                        bits.Append(Difference(value - last[c])).Append('0');
                        last[c] = value;
                    }
        }

        return Bits(bits.ToString());
    }

    // F.1.2.1: the category, then the value, or for negative ones the value less one.
    private static string Difference(int value)
    {
        int category = value == 0 ? 0 : 32 - int.LeadingZeroCount(Math.Abs(value));
        string code = Convert.ToString(category, 2).PadLeft(4, '0');
        int bits = value < 0 ? value + (1 << category) - 1 : value;
        return category == 0 ? code : code + Convert.ToString(bits, 2).PadLeft(category, '0');
    }
}
