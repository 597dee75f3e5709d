using System.Globalization;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Floats as Go's fmt writes them.</summary>
internal static class GoFloatText
{
    /// <summary>Writes with a verb of e, E, f, F, g, G, b, x, X; 'v' is g.</summary>
    public static void Write(FormatWriter writer, double value, char verb)
    {
        ref FormatFlags flags = ref writer.Flags;
        char format = verb switch { 'v' => 'g', 'F' => 'f', _ => verb };
        int precision = flags.HasPrecision ? flags.Precision : format is 'g' or 'G' or 'x' or 'X' ? -1 : 6;
        bool negative = double.IsNegative(value) && !double.IsNaN(value);
        string sign = negative ? "-" : flags.Plus ? "+" : flags.Space ? " " : "";
        if (!double.IsFinite(value))
        {
            bool zero = flags.Zero;
            flags.Zero = false;
            string name = double.IsNaN(value) ? "NaN" : "Inf";
            // Infinity has its sign always where one is asked for, and a minus anyway.
            writer.Pad(System.Text.Encoding.ASCII.GetBytes(sign + name));
            flags.Zero = zero;
            return;
        }
        string number = format switch
        {
            'b' => BinaryFloatText.Binary(Math.Abs(value)),
            'x' or 'X' => BinaryFloatText.Hex(Math.Abs(value), precision, upper: format == 'X'),
            _ => Number(Math.Abs(value), format, precision),
        };
        if (flags.Sharp && format != 'b') number = WithPoint(number, flags, verb);
        if (sign.Length > 0 && flags.Zero && !flags.Minus && flags.HasWidth)
        {
            writer.Sink.WriteText(sign);
            writer.Sink.Fill((byte)'0', Math.Max(0, flags.Width - sign.Length - number.Length));
            writer.Sink.WriteText(number);
            return;
        }
        writer.Pad(System.Text.Encoding.ASCII.GetBytes(sign + number));
    }

    private static string Number(double value, char format, int precision)
    {
        if (precision < 0)
        {
            DecimalDigits shortest = DecimalDigits.Shortest(value);
            int power = shortest.Point - 1;
            return shortest.Digits.Length > 0 && (power is < -4 or >= 6)
                ? Exponential(shortest, shortest.Digits.Length - 1, format == 'G' ? 'E' : 'e')
                : Fixed(shortest, Math.Max(shortest.Digits.Length - shortest.Point, 0));
        }
        DecimalDigits exact = DecimalDigits.Exact(value);
        switch (format)
        {
            case 'e' or 'E': return Exponential(exact.Rounded(precision + 1), precision, format);
            case 'f': return Fixed(exact.Rounded(exact.Point + precision), precision);
        }
        int significant = Math.Max(precision, 1);
        DecimalDigits rounded = exact.Rounded(significant);
        int least = significant > rounded.Digits.Length && rounded.Digits.Length >= rounded.Point ? rounded.Digits.Length : significant;
        int exponent = rounded.Point - 1;
        if (exponent < -4 || exponent >= least)
            return Exponential(rounded, Math.Min(significant, Math.Max(rounded.Digits.Length, 1)) - 1, format == 'G' ? 'E' : 'e');
        return Fixed(rounded, Math.Max(rounded.Digits.Length - rounded.Point, 0));
    }

    private static string Exponential(DecimalDigits digits, int decimals, char letter)
    {
        int exponent = digits.Digits.Length == 0 ? 0 : digits.Point - 1;
        string fraction = decimals > 0 ? "." + string.Concat(Enumerable.Range(1, decimals).Select(i => digits[i])) : "";
        return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}{letter}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
    }

    private static string Fixed(DecimalDigits digits, int decimals)
    {
        string whole = digits.Point > 0 ? string.Concat(Enumerable.Range(0, digits.Point).Select(i => digits[i])) : "0";
        string fraction = decimals > 0 ? "." + string.Concat(Enumerable.Range(digits.Point, decimals).Select(i => digits[i])) : "";
        return whole + fraction;
    }

    // The sharp flag keeps a decimal point, and for g (and v, and x) trailing zeros up to the precision, or six digits.
    private static string WithPoint(string number, FormatFlags flags, char verb)
    {
        int digits = verb is 'v' or 'g' or 'G' or 'x' ? flags.HasPrecision ? flags.Precision : 6 : 0;
        int exponentAt = number.IndexOfAny(verb is 'x' or 'X' ? ['p', 'P'] : ['e', 'E']);
        string tail = exponentAt < 0 ? "" : number[exponentAt..];
        string mantissa = exponentAt < 0 ? number : number[..exponentAt];
        digits -= mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('0').Length;
        if (!mantissa.Contains('.', StringComparison.Ordinal))
        {
            if (mantissa == "0") digits--;
            mantissa += ".";
        }
        return mantissa + new string('0', Math.Max(0, digits)) + tail;
    }
}
