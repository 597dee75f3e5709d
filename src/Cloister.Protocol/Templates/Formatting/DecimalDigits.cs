using System.Globalization;
using System.Numerics;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>A float's decimal digits d1d2d3..., with the value 0.d1d2d3... x 10^<see cref="Point"/>. Rounding is exact, half to even, as Go's strconv does it.</summary>
internal sealed class DecimalDigits
{
    private DecimalDigits(string digits, int point)
    {
        string trimmed = digits.TrimEnd('0');
        (Digits, Point) = (trimmed, trimmed.Length == 0 ? 0 : point);
    }

    public string Digits { get; }

    public int Point { get; }

    /// <summary>The fewest digits that read back as the same value.</summary>
    public static DecimalDigits Shortest(double value)
    {
        if (value == 0) return new("", 0);
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int e = shortest.IndexOf('E', StringComparison.Ordinal), exponent = e < 0 ? 0 : int.Parse(shortest.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = e < 0 ? shortest : shortest[..e];
        int dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        int point = (dot < 0 ? mantissa.Length : dot) + exponent;
        int zeros = digits.Length - digits.TrimStart('0').Length;
        return new(digits[zeros..], point - zeros);
    }

    /// <summary>All digits; a double has at most 767.</summary>
    public static DecimalDigits Exact(double value)
    {
        if (value == 0) return new("", 0);
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)(bits >> 52) & 0x7FF;
        BigInteger mantissa = bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0) exponent = 1;
        else mantissa += 1L << 52;
        exponent -= 1075;
        // m * 2^-k = m * 5^k / 10^k
        string digits = (exponent >= 0 ? mantissa << exponent : mantissa * BigInteger.Pow(5, -exponent)).ToString(CultureInfo.InvariantCulture);
        return new(digits, digits.Length + Math.Min(exponent, 0));
    }

    /// <summary>Rounds to so many digits.</summary>
    public DecimalDigits Rounded(int count)
    {
        if (count >= Digits.Length) return this;
        if (count < 0) return new("", 0);
        bool isHalf = Digits[count] == '5' && count + 1 == Digits.Length;
        bool up = isHalf ? count > 0 && (Digits[count - 1] - '0') % 2 == 1 : Digits[count] >= '5';
        if (!up) return new(Digits[..count], Point);
        char[] kept = Digits[..count].ToCharArray();
        for (int i = count - 1; i >= 0; i--)
        {
            if (kept[i] != '9')
            {
                kept[i]++;
                return new(new string(kept, 0, i + 1), Point);
            }
        }
        return new("1", Point + 1);
    }

    /// <summary>The digit at a place, 0 beyond the last.</summary>
    public char this[int index] => index >= 0 && index < Digits.Length ? Digits[index] : '0';
}
