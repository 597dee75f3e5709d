using System.Globalization;

namespace Cloister.Serving.Json;

/// <summary>Prints binary64 numbers with the framework's digits, in the surfaces' notations.</summary>
internal static class DoubleFormatter
{
    /// <summary>No number takes more bytes than this in either style.</summary>
    public const int MaximumLength = 40;

    /// <summary>The longest number in either style, such as -1.2345678901234567e-308.</summary>
    public const int Longest = 24;

    /// <summary>Writes the number and returns its length.</summary>
    public static int Write(double value, Span<byte> destination, FloatStyle style)
    {
        if (!double.IsFinite(value)) return FloatFormatter.Write((float)value, destination, style);
        int length;
        if (style == FloatStyle.Shortest)
        {
            value.TryFormat(destination, out length, default, CultureInfo.InvariantCulture);
            return length;
        }
        // %g (six digits), or %.17g where six do not read back; whole numbers end in ".0".
        length = General(value, 6, destination);
        if (double.Parse(destination[..length], NumberStyles.Float, CultureInfo.InvariantCulture) != value)
            length = General(value, 17, destination);
        if (destination[..length].IndexOfAny((byte)'.', (byte)'e') >= 0) return length;
        ".0"u8.CopyTo(destination[length..]);
        return length + 2;
    }

    /// <summary>As C's %.{precision}g.</summary>
    private static int General(double value, int precision, Span<byte> destination)
    {
        Span<byte> text = stackalloc byte[MaximumLength];
        value.TryFormat(text, out int length, precision == 6 ? "e5" : "e16", CultureInfo.InvariantCulture);
        int mark = text[..length].IndexOf((byte)'e');
        int exponent = int.Parse(text[(mark + 1)..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        int sign = text[0] == '-' ? 1 : 0;
        Span<byte> digits = stackalloc byte[precision];
        digits[0] = text[sign];
        text[(sign + 2)..mark].CopyTo(digits[1..]);
        digits = digits[..Math.Max(1, digits.LastIndexOfAnyExcept((byte)'0') + 1)];
        int at = 0;
        if (sign == 1) destination[at++] = (byte)'-';
        if (exponent < -4 || exponent >= precision)
        {
            destination[at++] = digits[0];
            if (digits.Length > 1) at += Put("."u8, destination[at..]) + Put(digits[1..], destination[(at + 1)..]);
            destination[at++] = (byte)'e';
            destination[at++] = exponent < 0 ? (byte)'-' : (byte)'+';
            Math.Abs(exponent).TryFormat(destination[at..], out int written, "00", CultureInfo.InvariantCulture);
            return at + written;
        }
        if (exponent < 0)
        {
            at += Put("0."u8, destination[at..]);
            destination.Slice(at, -exponent - 1).Fill((byte)'0');
            at += -exponent - 1;
            return at + Put(digits, destination[at..]);
        }
        for (int i = 0; i < Math.Max(digits.Length, exponent + 1); i++)
        {
            if (i == exponent + 1) destination[at++] = (byte)'.';
            destination[at++] = i < digits.Length ? digits[i] : (byte)'0';
        }
        return at;
    }

    private static int Put(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        text.CopyTo(destination);
        return text.Length;
    }
}
