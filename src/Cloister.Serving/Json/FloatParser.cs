using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cloister.Serving.Json;

/// <summary>
/// Reads a JSON number as the nearest binary32, ties to even: exactly what <see cref="float.Parse(string)"/> answers.
/// Short numbers take Clinger's exact way through binary64, longer ones Lemire's ("Number Parsing at a Gigabyte per Second",
/// 2021), and what neither can decide goes to the framework.
/// </summary>
internal static class FloatParser
{
    private static readonly double[] ExactPowers =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    /// <summary>Reads the number at the start of the text. Returns its length, or 0 where there is none; too large a number reads as an infinity.</summary>
    public static int Read(ReadOnlySpan<byte> text, out float value)
    {
        int i = 0;
        bool negative = text.Length > 0 && text[0] == '-';
        if (negative) i = 1;
        ulong mantissa = 0;
        int start = i;
        i = ReadDigits(text, i, ref mantissa);
        int whole = i - start;
        if (whole == 0) return JsonNumber.ScanWord(text, out value);
        value = 0;
        if (text[start] == '0')
        {
            // A number may not begin with a needless zero: what follows it is left for the caller to refuse.
            if (whole > 1) { value = negative ? -0f : 0f; return start + 1; }
            whole = 0;
        }
        int significant = whole, exponent = 0;
        if ((uint)i < (uint)text.Length && text[i] == '.')
        {
            int fraction = ++i;
            i = ReadDigits(text, i, ref mantissa);
            if (i == fraction) return 0;
            exponent = fraction - i;
            significant += i - fraction;
            if (whole == 0 && significant > 19) significant -= CountZeros(text[fraction..i]);
        }
        if ((uint)i < (uint)text.Length && (text[i] | 0x20) == 'e' && !TryReadExponent(text, ref i, ref exponent)) return 0;
        value = significant <= 19 && TryRound(mantissa, exponent, out float magnitude)
            ? negative ? -magnitude : magnitude
            : float.Parse(text[..i], NumberStyles.Float, CultureInfo.InvariantCulture);
        return i;
    }

    /// <summary>mantissa * 10^exponent as the nearest binary32; false where neither fast way can tell.</summary>
    internal static bool TryRound(ulong mantissa, int exponent, out float value)
    {
        value = 0;
        if (mantissa == 0) return true;
        if (mantissa <= 1UL << 53 && exponent is >= -22 and <= 22)
        {
            double rounded = exponent < 0 ? mantissa / ExactPowers[-exponent] : mantissa * ExactPowers[exponent];
            // Rounding twice goes wrong only where the first result lies exactly between two binary32 numbers:
            // every midpoint is a binary64, so elsewhere the exact value is on the same side of it as the rounded one.
            if ((BitConverter.DoubleToUInt64Bits(rounded) & 0x1FFF_FFFF) != 0x1000_0000 && rounded >= 1.1754943508222875e-38)
            {
                value = (float)rounded;
                return true;
            }
        }
        return TryRoundWide(mantissa, exponent, out value);
    }

    /// <summary>Lemire's way: the top bits of mantissa * 5^exponent from one or two 64-bit products.</summary>
    internal static bool TryRoundWide(ulong mantissa, int exponent, out float value)
    {
        value = 0;
        if (mantissa == 0 || exponent < PowersOfTen.SmallestReading) return true;
        if (exponent > PowersOfTen.LargestReading)
        {
            value = float.PositiveInfinity;
            return true;
        }
        const int Explicit = 23, Guard = Explicit + 3, MinimumExponent = -127, InfinitePower = 0xFF;
        int zeros = BitOperations.LeadingZeroCount(mantissa);
        mantissa <<= zeros;
        (ulong powerHigh, ulong powerLow) = PowersOfTen.ForReading(exponent);
        ulong high = Math.BigMul(mantissa, powerHigh, out ulong low);
        const ulong Undecided = ulong.MaxValue >> Guard;
        if ((high & Undecided) == Undecided)
        {
            ulong carried = Math.BigMul(mantissa, powerLow, out _);
            low += carried;
            if (low < carried) high++;
            if (low == ulong.MaxValue && exponent is < -27 or > 55) return false;
        }
        int upper = (int)(high >> 63);
        int cut = upper + 64 - Guard;
        ulong bits = high >> cut;
        // 217706 / 2^16 approximates log2(10): floor(log2(10^exponent)) for every exponent of the table.
        int power = ((217706 * exponent) >> 16) + 63 + upper - zeros - MinimumExponent;
        if (power <= 0)
        {
            if (1 - power >= 64) return true;
            bits >>= 1 - power;
            bits = (bits + (bits & 1)) >> 1;
            value = BitConverter.UInt32BitsToSingle((uint)bits); // a carry into bit 23 is the smallest normal number
            return true;
        }
        // Exactly halfway, and only there, the product is exact in these exponents: ties go to even.
        if (low <= 1 && exponent is >= -17 and <= 10 && (bits & 3) == 1 && bits << cut == high) bits &= ~1UL;
        bits = (bits + (bits & 1)) >> 1;
        if (bits >= 2UL << Explicit)
        {
            bits = 1UL << Explicit;
            power++;
        }
        value = power >= InfinitePower
            ? float.PositiveInfinity
            : BitConverter.UInt32BitsToSingle((uint)(bits & ~(1UL << Explicit)) | (uint)power << Explicit);
        return true;
    }

    // Wraps for more than 19 digits; the caller counts them and then does not use the mantissa.
    private static int ReadDigits(ReadOnlySpan<byte> text, int i, ref ulong mantissa)
    {
        ulong value = mantissa;
        while (text.Length - i >= 8)
        {
            ulong eight = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(text), i));
            if (!BitConverter.IsLittleEndian || !AreDigits(eight)) break;
            value = unchecked(value * 100_000_000 + EightDigits(eight));
            i += 8;
        }
        uint digit;
        while ((uint)i < (uint)text.Length && (digit = (uint)text[i] - '0') <= 9)
        {
            value = unchecked(value * 10 + digit);
            i++;
        }
        mantissa = value;
        return i;
    }

    // Each byte is '0'..'9' exactly if its high nibble is 3 and adding 6 does not carry into it.
    private static bool AreDigits(ulong eight) =>
        ((eight & 0xF0F0_F0F0_F0F0_F0F0) | (((eight + 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0) >> 4)) == 0x3333_3333_3333_3333;

    // Pairs, then fours, then eight: three multiplications instead of eight.
    private static uint EightDigits(ulong eight)
    {
        unchecked
        {
            eight -= 0x3030_3030_3030_3030;
            eight = eight * 10 + (eight >> 8);
            const ulong Mask = 0x0000_00FF_0000_00FF, First = 0x000F_4240_0000_0064, Second = 0x0000_2710_0000_0001;
            return (uint)(((eight & Mask) * First + ((eight >> 16) & Mask) * Second) >> 32);
        }
    }

    private static bool TryReadExponent(ReadOnlySpan<byte> text, ref int i, ref int exponent)
    {
        i++;
        bool negative = i < text.Length && text[i] == '-';
        if (negative || (i < text.Length && text[i] == '+')) i++;
        int start = i, value = 0;
        uint digit;
        while ((uint)i < (uint)text.Length && (digit = (uint)text[i] - '0') <= 9)
        {
            if (value < 100_000) value = value * 10 + (int)digit;
            i++;
        }
        exponent += negative ? -value : value;
        return i > start;
    }

    private static int CountZeros(ReadOnlySpan<byte> digits)
    {
        int first = digits.IndexOfAnyExcept((byte)'0');
        return first < 0 ? digits.Length : first;
    }
}
