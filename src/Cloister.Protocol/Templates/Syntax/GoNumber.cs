using System.Globalization;
using System.Numerics;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>A number literal with every type it can have, as Go's template parser reads it.</summary>
internal sealed record GoNumber
{
    public long? Int { get; private init; }
    public ulong? Uint { get; private init; }
    public double? Float { get; private init; }
    public Complex? Complex { get; private init; }

    public static GoNumber OfCharacter(int rune) => new() { Int = rune, Uint = (ulong)rune, Float = rune };

    /// <summary>Reads a number, or a complex one ("1+2i"); the reason where it is none.</summary>
    public static (GoNumber? Number, string? Error) Read(string text, bool isComplex)
    {
        if (isComplex) return ReadComplex(text) is { } both ? (OfComplex(both), null) : (null, $"illegal number syntax: {GoQuote.Text(text)}");
        if (text.EndsWith('i') && ParseFloat(text[..^1]) is { } imaginary) return (OfComplex(new Complex(0, imaginary)), null);
        (long? signed, ulong? unsigned) = ParseInteger(text);
        if (signed == 0) unsigned = 0;
        if (signed is not null) return (new() { Int = signed, Uint = unsigned, Float = signed.Value }, null);
        if (unsigned is not null) return (new() { Uint = unsigned, Float = unsigned.Value }, null);
        if (ParseFloat(text) is not { } number) return (null, $"illegal number syntax: {GoQuote.Text(text)}");
        return text.AsSpan().ContainsAny(".eEpP") ? (OfFloat(number), null) : (null, $"integer overflow: {GoQuote.Text(text)}");
    }

    private static GoNumber OfFloat(double value) => new() { Float = value, Int = AsInt(value), Uint = AsUint(value) };

    private static GoNumber OfComplex(Complex value) =>
        value.Imaginary == 0 ? OfFloat(value.Real) with { Complex = value } : new() { Complex = value };

    private static long? AsInt(double value) => value is >= -9223372036854775808.0 and < 9223372036854775808.0 && Math.Floor(value) == value ? (long)value : null;

    private static ulong? AsUint(double value) => value is >= 0 and < 18446744073709551616.0 && Math.Floor(value) == value ? (ulong)value : null;

    private static Complex? ReadComplex(string text)
    {
        int split = text.LastIndexOfAny(['+', '-']);
        // The sign of an exponent does not separate the parts.
        while (split > 0 && text[split - 1] is 'e' or 'E' or 'p' or 'P') split = text.LastIndexOfAny(['+', '-'], split - 1);
        return split > 0 && ParseFloat(text[..split]) is { } real && ParseFloat(text[split..^1]) is { } imaginary ? new Complex(real, imaginary) : null;
    }

    // strconv.ParseInt and ParseUint with base 0.
    private static (long?, ulong?) ParseInteger(string text)
    {
        bool hasSign = text.Length > 0 && text[0] is '+' or '-', negative = hasSign && text[0] == '-';
        string digits = hasSign ? text[1..] : text;
        int radix = 10, start = 0;
        if (digits.Length >= 2 && digits[0] == '0')
            (radix, start) = char.ToLowerInvariant(digits[1]) switch { 'x' => (16, 2), 'o' => (8, 2), 'b' => (2, 2), _ => (8, 1) };
        if (!UnderscoresSeparate(digits)) return default;
        UInt128 value = 0;
        int count = 0;
        foreach (char c in digits.AsSpan(start))
        {
            if (c == '_') continue;
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix) return default;
            value = value * (uint)radix + (uint)digit;
            if (value > ulong.MaxValue) return default;
            count++;
        }
        if (count == 0 && start != 1) return default;
        long? signed = negative ? value <= 1UL << 63 ? unchecked(-(long)(ulong)value) : null : value <= long.MaxValue ? (long)value : null;
        return (signed, hasSign ? null : (ulong)value);
    }

    /// <summary>strconv.ParseFloat; null where it fails, which for Go includes overflow.</summary>
    private static double? ParseFloat(string text)
    {
        string digits = text.TrimStart('+', '-');
        if (text.Length - digits.Length > 1 || digits.Length == 0 || !(char.IsAsciiDigit(digits[0]) || digits[0] == '.')) return null;
        if (digits.Contains('_', StringComparison.Ordinal) && !UnderscoresSeparate(digits)) return null;
        string plain = text.Replace("_", "", StringComparison.Ordinal);
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) return ParseHexFloat(plain);
        return double.TryParse(plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value) ? value : null;
    }

    private static double? ParseHexFloat(string text)
    {
        bool negative = text[0] == '-';
        string digits = text.TrimStart('+', '-')[2..];
        int exponentAt = digits.IndexOfAny(['p', 'P']);
        if (exponentAt < 0 || !int.TryParse(digits.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int exponent)) return null;
        string mantissa = digits[..exponentAt];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string all = mantissa.Replace(".", "", StringComparison.Ordinal);
        if (all.Length == 0 || all.Length > 400 || !BigInteger.TryParse("0" + all, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out BigInteger value)) return null;
        long scale = exponent - (point < 0 ? 0 : 4L * (mantissa.Length - point - 1));
        if (value.IsZero) return negative ? -0.0 : 0.0;
        // Round half to even at 64 bits is not enough for denormals; let the exact quotient be rounded by the conversion below.
        long bits = (long)value.GetBitLength(), lowest = Math.Max(bits + scale - 53, -1074);
        if (bits + scale > 1025) return null;
        long drop = lowest - scale;
        if (drop > 0)
        {
            if (drop > bits + 1) return negative ? -0.0 : 0.0;
            BigInteger half = BigInteger.One << (int)(drop - 1), rest = value & ((BigInteger.One << (int)drop) - 1);
            value >>= (int)drop;
            if (rest > half || (rest == half && !value.IsEven)) value += 1;
            scale = lowest;
        }
        double result = Math.ScaleB((double)value, (int)scale);
        return double.IsFinite(result) ? negative ? -result : result : null;
    }

    // An underscore stands between digits, or between a base prefix and a digit.
    private static bool UnderscoresSeparate(string digits)
    {
        if (!digits.Contains('_', StringComparison.Ordinal)) return true;
        bool isPrefixed = digits.Length >= 2 && digits[0] == '0' && char.ToLowerInvariant(digits[1]) is 'x' or 'o' or 'b';
        bool isHex = isPrefixed && char.ToLowerInvariant(digits[1]) == 'x';
        char before = isPrefixed ? '0' : '^';
        for (int i = isPrefixed ? 2 : 0; i < digits.Length; i++)
        {
            char c = digits[i];
            if (char.IsAsciiDigit(c) || (isHex && char.IsAsciiHexDigit(c))) before = '0';
            else if (c == '_')
            {
                if (before != '0') return false;
                before = '_';
            }
            else
            {
                if (before == '_') return false;
                before = '!';
            }
        }
        return before != '_';
    }
}
