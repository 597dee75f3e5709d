using System.Buffers.Binary;

namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>The tables in force (T.81, B.2.4): four places for each kind, filled and overwritten as the file goes on.</summary>
internal sealed class JpegTables
{
    private const int Places = 4;
    private readonly ushort[]?[] _quantization = new ushort[]?[Places];
    private readonly JpegHuffman?[] _dc = new JpegHuffman?[Places], _ac = new JpegHuffman?[Places];

    /// <summary>Blocks between restart markers (more exactly: units, MCUs); 0 where there are none.</summary>
    public int RestartInterval { get; private set; }

    /// <summary>64 divisors in zigzag order.</summary>
    public ushort[] Quantization(int place) => _quantization[place] ?? throw Missing("quantisation", place);

    /// <summary>Codes for first coefficients.</summary>
    public JpegHuffman Dc(int place) => _dc[place] ?? throw Missing("DC", place);

    /// <summary>Codes for the other coefficients.</summary>
    public JpegHuffman Ac(int place) => _ac[place] ?? throw Missing("AC", place);

    /// <summary>Reads a DQT segment (B.2.4.1).</summary>
    public void ReadQuantization(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            int width = (content[0] >> 4) + 1, place = content[0] & 15, length = 1 + 64 * width;
            if (width > 2 || place >= Places || content.Length < length)
                throw WrongSize("quantisation");
            ushort[] table = new ushort[64];
            for (int i = 0; i < table.Length; i++)
            {
                table[i] = width == 1 ? content[1 + i] : BinaryPrimitives.ReadUInt16BigEndian(content[(1 + 2 * i)..]);
                if (table[i] == 0)
                    throw new PictureException(PictureError.BadTable, "A quantisation table has a divisor of zero; the file is damaged.");
            }

            _quantization[place] = table;
            content = content[length..];
        }
    }

    /// <summary>Reads a DHT segment (B.2.4.2).</summary>
    public void ReadHuffman(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            if (content.Length < 17)
                throw WrongSize("Huffman");
            int kind = content[0] >> 4, place = content[0] & 15, count = 0;
            foreach (byte codes in content[1..17])
                count += codes;
            if (kind > 1 || place >= Places || count > 256 || content.Length < 17 + count)
                throw WrongSize("Huffman");
            (kind == 0 ? _dc : _ac)[place] = new JpegHuffman(content[1..17], content.Slice(17, count));
            content = content[(17 + count)..];
        }
    }

    /// <summary>Reads a DRI segment (B.2.4.4).</summary>
    public void ReadRestartInterval(ReadOnlySpan<byte> content)
    {
        if (content.Length != 2)
            throw WrongSize("restart");
        RestartInterval = BinaryPrimitives.ReadUInt16BigEndian(content);
    }

    private static PictureException Missing(string kind, int place) =>
        new(PictureError.MissingTable, $"The pixels need {kind} table {place}, which the file does not have; frames cut from a film often lack their tables, save the picture anew.");

    private static PictureException WrongSize(string kind) => new(PictureError.BadSegment, $"A {kind} segment has a wrong size or names a table that JPEG does not have.");
}
