namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>
/// Reads the coefficients of one block, in zigzag order: all at once (T.81, F.2.2), or by bands and bits (G.1.2). Categories beyond those
/// of 8-bit samples, runs beyond the block and values beyond 16 bits are refused.
/// </summary>
internal static class JpegBlock
{
    private const int MostDcCategory = 11, MostAcCategory = 10, LongRun = 15;

    /// <summary>Reads a whole block into one that is zero.</summary>
    public static void Sequential(ref JpegBits bits, JpegHuffman dc, JpegHuffman ac, JpegScanComponent part, Span<short> block)
    {
        DcFirst(ref bits, dc, part, 0, block);
        for (int k = 1; k < 64; k++)
        {
            int code = bits.Decode(ac), run = code >> 4, category = code & 15;
            if (category == 0 && run != LongRun)
            {
                if (run != 0)
                    throw BadCode();
                return;
            }

            k += run;
            if (k > 63 || category > MostAcCategory)
                throw BadCode();
            if (category != 0)
                block[k] = (short)bits.ReadSigned(category);
        }
    }

    /// <summary>The first coefficient, without its lowest bits.</summary>
    public static void DcFirst(ref JpegBits bits, JpegHuffman dc, JpegScanComponent part, int low, Span<short> block)
    {
        int category = bits.Decode(dc);
        if (category > MostDcCategory)
            throw BadCode();
        part.Prediction += bits.ReadSigned(category);
        block[0] = Shifted(part.Prediction, low);
    }

    /// <summary>One more bit of the first coefficient.</summary>
    public static void DcNext(ref JpegBits bits, int low, Span<short> block) => block[0] |= (short)(bits.Read(1) << low);

    /// <summary>A band of coefficients, without their lowest bits.</summary>
    /// <param name="bits">The bits.</param>
    /// <param name="ac">The codes.</param>
    /// <param name="band">The band of the block; all zero.</param>
    /// <param name="low">How many bits are left out.</param>
    /// <param name="run">Blocks, this one included, in which no more follows (EOBRUN).</param>
    public static void AcFirst(ref JpegBits bits, JpegHuffman ac, Span<short> band, int low, ref int run)
    {
        if (run > 0)
        {
            run--;
            return;
        }

        for (int k = 0; k < band.Length; k++)
        {
            int code = bits.Decode(ac), zeros = code >> 4, category = code & 15;
            if (category == 0 && zeros != LongRun)
            {
                run = (1 << zeros) + bits.Read(zeros) - 1;
                return;
            }

            k += zeros;
            if (k >= band.Length || category > MostAcCategory)
                throw BadCode();
            if (category != 0)
                band[k] = Shifted(bits.ReadSigned(category), low);
        }
    }

    /// <summary>One more bit of a band (G.1.2.3): of each coefficient that is not zero yet, and those that become 1 or -1 by it.</summary>
    public static void AcNext(ref JpegBits bits, JpegHuffman ac, Span<short> band, int low, ref int run)
    {
        short one = (short)(1 << low);
        int k = 0;
        while (run == 0 && k < band.Length)
        {
            int code = bits.Decode(ac), zeros = code >> 4;
            short value = 0;
            if ((code & 15) > 1)
                throw BadCode();
            if ((code & 15) == 1)
                value = bits.Read(1) != 0 ? one : (short)-one;
            else if (zeros != LongRun)
            {
                run = (1 << zeros) + bits.Read(zeros);
                break;
            }

            for (; k < band.Length && (band[k] != 0 || zeros-- > 0); k++)
                Sharpen(ref bits, ref band[k], one);
            if (k == band.Length)
                throw BadCode();
            band[k++] = value;
        }

        if (run == 0)
            return;
        run--;
        for (Span<short> rest = band[k..]; rest.IndexOfAnyExcept((short)0) is var next and >= 0; rest = rest[(next + 1)..])
            Sharpen(ref bits, ref rest[next], one);
    }

    private static void Sharpen(ref JpegBits bits, ref short coefficient, short one)
    {
        if (coefficient != 0 && bits.Read(1) != 0)
            coefficient += coefficient > 0 ? one : (short)-one;
    }

    private static short Shifted(int value, int low)
    {
        long shifted = (long)value << low;
        return shifted is > -32768 and <= short.MaxValue ? (short)shifted : throw BadCode();
    }

    private static PictureException BadCode() => new(PictureError.BadPixelData, "The pixels hold a code that JPEG does not have there; the file is damaged.");
}
