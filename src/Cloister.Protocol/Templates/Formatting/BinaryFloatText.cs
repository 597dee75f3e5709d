using System.Globalization;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Floats in powers of two: %b, a mantissa and an exponent, and %x, a hexadecimal fraction.</summary>
internal static class BinaryFloatText
{
    private const int MantissaBits = 52, Bias = 1023;

    /// <summary>%b of a value that is not negative.</summary>
    public static string Binary(double value)
    {
        (ulong mantissa, int exponent) = Parts(value);
        int power = exponent - Bias - MantissaBits;
        return string.Create(CultureInfo.InvariantCulture, $"{mantissa}p{(power < 0 ? "" : "+")}{power}");
    }

    /// <summary>%x or %X of a value that is not negative, with so many hexadecimal digits, or as many as it needs where that is negative.</summary>
    public static string Hex(double value, int digits, bool upper)
    {
        (ulong mantissa, int exponent) = Parts(value);
        exponent = mantissa == 0 ? 0 : exponent - Bias;
        // The leading one at bit 60: fifteen digits of fraction follow it.
        mantissa <<= 60 - MantissaBits;
        while (mantissa != 0 && (mantissa & (1UL << 60)) == 0)
        {
            mantissa <<= 1;
            exponent--;
        }
        if (digits is >= 0 and < 15)
        {
            int shift = digits * 4;
            ulong rest = (mantissa << shift) & ((1UL << 60) - 1);
            mantissa >>= 60 - shift;
            // Half to even.
            if ((rest | (mantissa & 1)) > 1UL << 59) mantissa++;
            mantissa <<= 60 - shift;
            if ((mantissa & (1UL << 61)) != 0)
            {
                mantissa >>= 1;
                exponent++;
            }
        }
        string fraction = (mantissa & ((1UL << 60) - 1)).ToString("x15", CultureInfo.InvariantCulture);
        fraction = digits < 0 ? fraction.TrimEnd('0') : digits <= 15 ? fraction[..digits] : fraction.PadRight(digits, '0');
        string text = string.Create(CultureInfo.InvariantCulture, $"0x{mantissa >> 60}{(fraction.Length > 0 ? "." : "")}{fraction}p{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        return upper ? text.ToUpperInvariant() : text;
    }

    private static (ulong Mantissa, int Exponent) Parts(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)(bits >> MantissaBits) & 0x7FF;
        ulong mantissa = (ulong)bits & ((1UL << MantissaBits) - 1);
        return exponent == 0 ? (mantissa, 1) : (mantissa | (1UL << MantissaBits), exponent);
    }
}
