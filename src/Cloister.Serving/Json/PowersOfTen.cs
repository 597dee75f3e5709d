using System.Numerics;

namespace Cloister.Serving.Json;

/// <summary>
/// The first 128 bits of powers of five, for reading, and the first 64 bits of powers of ten, for printing: computed once,
/// exactly, instead of written down.
/// </summary>
internal static class PowersOfTen
{
    /// <summary>Every decimal exponent for which a mantissa of 19 digits can be a finite, non-zero binary32.</summary>
    public const int SmallestReading = -65, LargestReading = 38;

    /// <summary>The exponents that binary32 needs when printed.</summary>
    public const int SmallestPrinting = -31, LargestPrinting = 45;

    private static readonly (ulong High, ulong Low)[] Reading = BuildReading();
    private static readonly ulong[] Printing = BuildPrinting();

    /// <summary>5^power as a 128-bit mantissa with its top bit set; truncated where the power is positive, rounded up where it is negative.</summary>
    public static (ulong High, ulong Low) ForReading(int power) => Reading[power - SmallestReading];

    /// <summary>10^power as a 64-bit mantissa with its top bit set, rounded up.</summary>
    public static ulong ForPrinting(int power) => Printing[power - SmallestPrinting];

    private static (ulong, ulong)[] BuildReading()
    {
        var table = new (ulong, ulong)[LargestReading - SmallestReading + 1];
        for (int power = SmallestReading; power <= LargestReading; power++)
        {
            BigInteger value = power >= 0 ? Normalise(BigInteger.Pow(5, power), 128) : Reciprocal(-power);
            table[power - SmallestReading] = ((ulong)(value >> 64), (ulong)(value & ulong.MaxValue));
        }
        return table;
    }

    // 5^power fits 64 bits up to 27: there the reciprocal is rounded up to 128 bits, beyond it is truncated (Lemire 2021, section 5).
    private static BigInteger Reciprocal(int power)
    {
        BigInteger five = BigInteger.Pow(5, power);
        int bits = (int)five.GetBitLength();
        return power <= 27
            ? (BigInteger.One << (bits + 127)) / five + 1
            : Normalise((BigInteger.One << (2 * bits + 128)) / five + 1, 128);
    }

    private static ulong[] BuildPrinting()
    {
        var table = new ulong[LargestPrinting - SmallestPrinting + 1];
        for (int power = SmallestPrinting; power <= LargestPrinting; power++)
        {
            BigInteger numerator = power >= 0 ? BigInteger.Pow(10, power) << 256 : BigInteger.One << 512;
            BigInteger denominator = power >= 0 ? BigInteger.One : BigInteger.Pow(10, -power);
            BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger remainder);
            int shift = (int)quotient.GetBitLength() - 64;
            bool exact = remainder.IsZero && (quotient & ((BigInteger.One << shift) - 1)).IsZero;
            table[power - SmallestPrinting] = (ulong)(quotient >> shift) + (exact ? 0UL : 1UL);
        }
        return table;
    }

    private static BigInteger Normalise(BigInteger value, int bits)
    {
        int shift = (int)value.GetBitLength() - bits;
        return shift > 0 ? value >> shift : value << -shift;
    }
}
