namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>
/// The inverse discrete cosine transform of a block (T.81, A.3.3) in whole numbers, by the factorisation of Loeffler, Ligtenberg and
/// Moschytz (ICASSP 1989): eleven multiplications by constants of 13 binary places, as the accurate transform of other decoders has it.
/// Coefficients beyond those of a picture wrap around and give some sample or other; none of them can leave the block.
/// </summary>
internal static class JpegTransform
{
    private const int Places = 13, KeptPlaces = 2;

    /// <summary>Where in a block of rows each coefficient of the zigzag order stands (T.81, figure A.6).</summary>
    private static ReadOnlySpan<byte> Zigzag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>Writes eight rows of eight samples.</summary>
    /// <param name="block">64 coefficients in zigzag order.</param>
    /// <param name="quantization">64 divisors in zigzag order.</param>
    /// <param name="samples">Where the first sample goes.</param>
    /// <param name="stride">Samples from a row to the next.</param>
    public static void Inverse(ReadOnlySpan<short> block, ReadOnlySpan<ushort> quantization, Span<byte> samples, int stride)
    {
        int last = block.LastIndexOfAnyExcept((short)0);
        if (last <= 0)
        {
            byte value = Sample(Rounded(block[0] * quantization[0] << KeptPlaces, KeptPlaces + 3));
            for (int row = 0; row < 8; row++)
                samples.Slice(row * stride, 8).Fill(value);
            return;
        }

        Span<int> values = stackalloc int[64];
        values.Clear();
        for (int k = 0; k <= last; k++)
            values[Zigzag[k]] = block[k] * quantization[k];
        for (int column = 0; column < 8; column++)
            Pass(values[column..], 8, Places - KeptPlaces);
        for (int row = 0; row < 8; row++)
        {
            Span<int> line = values.Slice(8 * row, 8);
            Pass(line, 1, Places + KeptPlaces + 3);
            for (int i = 0; i < 8; i++)
                samples[row * stride + i] = Sample(line[i]);
        }
    }

    // A column (every eighth value) or a row of eight coefficients becomes samples, times two to what the shift leaves of the places.
    private static void Pass(Span<int> values, int step, int shift)
    {
        if ((values[step] | values[2 * step] | values[3 * step] | values[4 * step] | values[5 * step] | values[6 * step] | values[7 * step]) == 0)
        {
            int value = Rounded(values[0] << Places, shift);
            for (int i = 0; i < 8; i++)
                values[i * step] = value;
            return;
        }

        (int even0, int even1, int even2, int even3) = Even(values[0], values[2 * step], values[4 * step], values[6 * step]);
        (int odd0, int odd1, int odd2, int odd3) = Odd(values[step], values[3 * step], values[5 * step], values[7 * step]);
        values[0] = Rounded(even0 + odd0, shift);
        values[step] = Rounded(even1 + odd1, shift);
        values[2 * step] = Rounded(even2 + odd2, shift);
        values[3 * step] = Rounded(even3 + odd3, shift);
        values[4 * step] = Rounded(even3 - odd3, shift);
        values[5 * step] = Rounded(even2 - odd2, shift);
        values[6 * step] = Rounded(even1 - odd1, shift);
        values[7 * step] = Rounded(even0 - odd0, shift);
    }

    // Coefficients 0, 2, 4, 6 are a transform of four values: a butterfly, and a rotation by 3 pi / 8.
    private static (int, int, int, int) Even(int c0, int c2, int c4, int c6)
    {
        int both = (c2 + c6) * 4433;                                     // 0.541196100
        int low = both - c6 * 15137, high = both + c2 * 6270;            // 1.847759065, 0.765366865
        int sum = c0 + c4 << Places, difference = c0 - c4 << Places;
        return (sum + high, difference + low, difference - low, sum - high);
    }

    // Coefficients 1, 3, 5, 7: what is added to the even part above, and subtracted below.
    private static (int, int, int, int) Odd(int c1, int c3, int c5, int c7)
    {
        int turned = (c1 + c3 + c5 + c7) * 9633;                         // 1.175875602
        int outer = (c1 + c7) * -7373, inner = (c3 + c5) * -20995;       // 0.899976223, 2.562915447
        int upper = (c3 + c7) * -16069 + turned;                         // 1.961570560
        int lower = (c1 + c5) * -3196 + turned;                          // 0.390180644
        return (
            c1 * 12299 + outer + lower,                                  // 1.501321110
            c3 * 25172 + inner + upper,                                  // 3.072711026
            c5 * 16819 + inner + lower,                                  // 2.053119869
            c7 * 2446 + outer + upper);                                  // 0.298631336
    }

    private static int Rounded(int value, int shift) => value + (1 << shift - 1) >> shift;

    private static byte Sample(int value) => (byte)Math.Clamp(value + 128, 0, 255);
}
