using System.Globalization;

namespace Cloister.Serving.Json;

/// <summary>How a surface wants its floating-point numbers.</summary>
internal enum FloatStyle
{
    /// <summary>The shortest digits that read back as the same number.</summary>
    Shortest,

    /// <summary>As TF Serving prints: six digits as %g, nine where six do not read back, and <c>.0</c> after a whole number.</summary>
    TensorFlow,
}

/// <summary>
/// Prints binary32 numbers. Digits come from Giulietti's Schubfach ("The Schubfach way to render doubles", 2021), which
/// finds the shortest, closest decimal with three 96-bit products. What is not finite prints as NaN, Infinity, -Infinity.
/// </summary>
internal static class FloatFormatter
{
    /// <summary>No number takes more bytes than this in either style.</summary>
    public const int MaximumLength = 32;

    /// <summary>The longest number in either style, such as -0.0000012345678.</summary>
    public const int Longest = 16;

    /// <summary>Writes the number and returns its length.</summary>
    public static int Write(float value, Span<byte> destination, FloatStyle style)
    {
        if (!float.IsFinite(value)) return Copy(float.IsNaN(value) ? "NaN"u8 : value < 0 ? "-Infinity"u8 : "Infinity"u8, destination);
        int length = 0;
        if (float.IsNegative(value))
        {
            destination[length++] = (byte)'-';
            value = -value;
        }
        if (value == 0) return length + Copy(style == FloatStyle.TensorFlow ? "0.0"u8 : "0"u8, destination[length..]);
        (uint digits, int exponent) = Shortest(value);
        if (style == FloatStyle.TensorFlow) return length + WriteGeneral(value, digits, exponent, destination[length..]);
        return length + WriteShortest(digits, exponent, destination[length..]);
    }

    /// <summary>The shortest digits * 10^exponent that round to the given positive finite number, and the closest of those.</summary>
    internal static (uint Digits, int Exponent) Shortest(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint fraction = bits & 0x7F_FFFF;
        int biased = (int)(bits >> 23) & 0xFF;
        uint significand = biased != 0 ? fraction | 0x80_0000 : fraction;
        int power = biased != 0 ? biased - 150 : -149;
        if (biased != 0 && power is <= 0 and > -24 && (significand & ((1u << -power) - 1)) == 0)
            return TrimZeros(significand >> -power, 0);
        bool even = (significand & 1) == 0;
        bool closerBelow = fraction == 0 && biased > 1;
        // floor(log10(2^power)), or of three quarters of it where the lower neighbour is nearer.
        int k = (power * 1262611 - (closerBelow ? 524031 : 0)) >> 22;
        int shift = power + ((-k * 1741647) >> 19) + 1;
        ulong ten = PowersOfTen.ForPrinting(-k);
        uint below = RoundToOdd(ten, (4 * significand - 2 + (closerBelow ? 1u : 0u)) << shift);
        uint exact = RoundToOdd(ten, (4 * significand) << shift);
        uint above = RoundToOdd(ten, (4 * significand + 2) << shift);
        uint lowest = below + (even ? 0u : 1u), highest = above - (even ? 0u : 1u);
        uint floor = exact / 4;
        if (floor >= 10)
        {
            // One digit fewer, if a multiple of ten lies between the neighbours.
            uint tenth = floor / 10;
            bool downInside = lowest <= 40 * tenth, upInside = 40 * tenth + 40 <= highest;
            if (downInside != upInside) return TrimZeros(tenth + (upInside ? 1u : 0u), k + 1);
        }
        bool floorInside = lowest <= 4 * floor, ceilingInside = 4 * floor + 4 <= highest;
        if (floorInside != ceilingInside) return TrimZeros(floor + (ceilingInside ? 1u : 0u), k);
        uint middle = 4 * floor + 2;
        return TrimZeros(floor + (exact > middle || (exact == middle && (floor & 1) != 0) ? 1u : 0u), k);
    }

    private static uint RoundToOdd(ulong ten, uint scaled)
    {
        ulong low = (ten & uint.MaxValue) * scaled;
        ulong high = (ten >> 32) * scaled + (low >> 32);
        return (uint)(high >> 32) | ((uint)high > 1 ? 1u : 0u);
    }

    private static (uint, int) TrimZeros(uint digits, int exponent)
    {
        while (true)
        {
            (uint quotient, uint rest) = Math.DivRem(digits, 10);
            if (rest != 0) return (digits, exponent);
            digits = quotient;
            exponent++;
        }
    }

    // Plain notation from 1e-6 up to 1e15, as most JSON writers have it.
    private static int WriteShortest(uint digits, int exponent, Span<byte> destination)
    {
        int count = CountDigits(digits), scientific = exponent + count - 1;
        return scientific is >= -6 and < 15
            ? WritePlain(digits, count, exponent, destination)
            : WriteScientific(digits, count, scientific, destination);
    }

    private static int WriteGeneral(float value, uint digits, int exponent, Span<byte> destination)
    {
        int count = CountDigits(digits), scientific = exponent + count - 1, precision = 6;
        // Six digits or fewer that read back are what %g prints, for binary32 keeps any six digits (except below its normal range).
        if (count > 6 || value < 1.17549435e-38f)
        {
            (uint six, int sixExponent) = Rounded(value, 6);
            precision = ReadsBack(six, sixExponent, value) ? 6 : 9;
            (digits, exponent) = precision == 6 ? (six, sixExponent) : Rounded(value, 9);
            count = CountDigits(digits);
            scientific = exponent + count - 1;
        }
        if (scientific < -4 || scientific >= precision) return WriteScientific(digits, count, scientific, destination);
        int length = WritePlain(digits, count, exponent, destination);
        return exponent < 0 ? length : length + Copy(".0"u8, destination[length..]);
    }

    private static bool ReadsBack(uint digits, int exponent, float value) =>
        FloatParser.TryRound(digits, exponent, out float read) && read == value;

    /// <summary>The number rounded to so many significant digits, exactly, trailing zeros cut.</summary>
    private static (uint Digits, int Exponent) Rounded(float value, int precision)
    {
        Span<byte> text = stackalloc byte[MaximumLength];
        // The framework rounds the exact value: d.ddddE+xxx.
        value.TryFormat(text, out int length, precision == 6 ? "E5" : "E8", CultureInfo.InvariantCulture);
        int mark = text[..length].IndexOf((byte)'E');
        uint digits = 0;
        foreach (byte symbol in text[..mark])
            if (symbol != '.') digits = digits * 10 + symbol - '0';
        return TrimZeros(digits, int.Parse(text[(mark + 1)..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) - precision + 1);
    }

    private static int WritePlain(uint digits, int count, int exponent, Span<byte> destination)
    {
        if (exponent >= 0)
        {
            PutDigits(digits, destination[..count]);
            destination.Slice(count, exponent).Fill((byte)'0');
            return count + exponent;
        }
        int whole = count + exponent;
        if (whole <= 0)
        {
            destination[0] = (byte)'0';
            destination[1] = (byte)'.';
            destination.Slice(2, -whole).Fill((byte)'0');
            PutDigits(digits, destination.Slice(2 - whole, count));
            return 2 - whole + count;
        }
        PutDigits(digits, destination.Slice(1, count));
        destination.Slice(1, whole).CopyTo(destination);
        destination[whole] = (byte)'.';
        return count + 1;
    }

    private static int WriteScientific(uint digits, int count, int scientific, Span<byte> destination)
    {
        PutDigits(digits, destination.Slice(1, count));
        destination[0] = destination[1];
        destination[1] = (byte)'.';
        int length = count == 1 ? 1 : count + 1;
        destination[length++] = (byte)'e';
        destination[length++] = scientific < 0 ? (byte)'-' : (byte)'+';
        int magnitude = Math.Abs(scientific);
        destination[length++] = (byte)('0' + magnitude / 10);
        destination[length++] = (byte)('0' + magnitude % 10);
        return length;
    }

    private static void PutDigits(uint digits, Span<byte> destination)
    {
        for (int i = destination.Length - 1; i >= 0; i--)
        {
            (digits, uint digit) = Math.DivRem(digits, 10);
            destination[i] = (byte)('0' + digit);
        }
    }

    private static int CountDigits(uint value) => value switch
    {
        < 10 => 1, < 100 => 2, < 1_000 => 3, < 10_000 => 4, < 100_000 => 5, < 1_000_000 => 6, < 10_000_000 => 7, < 100_000_000 => 8, < 1_000_000_000 => 9, _ => 10,
    };

    private static int Copy(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        text.CopyTo(destination);
        return text.Length;
    }
}
