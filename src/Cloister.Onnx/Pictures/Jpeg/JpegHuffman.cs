namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>A table of Huffman codes (T.81, annex C): codes of up to <see cref="Direct"/> bits by one look, longer ones by comparison.</summary>
internal sealed class JpegHuffman
{
    /// <summary>Bits of a code that are looked up at once.</summary>
    public const int Direct = 9;

    private readonly ushort[] _direct = new ushort[1 << Direct];
    private readonly int[] _ends = new int[17], _offsets = new int[17];
    private readonly byte[] _values;

    /// <summary>Makes the codes.</summary>
    /// <param name="counts">How many codes have 1 to 16 bits.</param>
    /// <param name="values">What the codes stand for, by length.</param>
    public JpegHuffman(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> values)
    {
        _values = values.ToArray();
        int code = 0, index = 0;
        for (int length = 1; length <= 16; length++, code <<= 1)
        {
            int count = counts[length - 1];
            if (code + count > 1 << length)
                throw new PictureException(PictureError.BadTable, $"A Huffman table has more codes of {length} bits than there are; the file is damaged.");
            _offsets[length] = index - code;
            _ends[length] = code + count << 16 - length;
            for (int i = 0; i < count; i++, code++, index++)
            {
                if (length <= Direct)
                    _direct.AsSpan(code << Direct - length, 1 << Direct - length).Fill((ushort)(length << 8 | _values[index]));
            }
        }
    }

    /// <summary>The length in bits (upper byte) and the value of the code that begins these 16 bits; 0 where none does.</summary>
    public int Find(int bits)
    {
        int direct = _direct[bits >> 16 - Direct];
        return direct != 0 ? direct : FindLong(bits);
    }

    private int FindLong(int bits)
    {
        for (int length = Direct + 1; length <= 16; length++)
        {
            if (bits < _ends[length])
                return length << 8 | _values[_offsets[length] + (bits >> 16 - length)];
        }

        return 0;
    }
}
