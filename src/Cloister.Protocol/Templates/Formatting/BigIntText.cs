using System.Numerics;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>big.Int's own formatting, which takes widths and precisions its own way.</summary>
internal static class BigIntText
{
    /// <summary>Writes a number, or null as a nil pointer, with a verb of b, o, O, d, s, v, x, X; of any other it says that it is wrong.</summary>
    public static void Write(FormatWriter writer, BigInteger? value, int verb)
    {
        int radix = verb switch { 'b' => 2, 'o' or 'O' => 8, 'd' or 's' or 'v' => 10, 'x' or 'X' => 16, _ => 0 };
        if (radix == 0)
        {
            writer.Sink.Write("%!"u8);
            writer.Sink.WriteRune(verb);
            writer.Sink.WriteText($"(big.Int={(value is null ? "<nil>" : InBase(value.Value, 10))})");
            return;
        }
        if (value is not { } number)
        {
            writer.Sink.Write("<nil>"u8);
            return;
        }
        FormatFlags flags = writer.Flags;
        string digits = InBase(BigInteger.Abs(number), radix);
        string sign = number.Sign < 0 ? "-" : flags.Plus || flags.PlusV ? "+" : flags.Space ? " " : "";
        string prefix = verb switch
        {
            'b' when flags.Sharp => "0b",
            'o' when flags.Sharp => "0",
            'x' when flags.Sharp => "0x",
            'X' when flags.Sharp => "0X",
            'O' => "0o",
            _ => "",
        };
        if (verb == 'X') digits = digits.ToUpperInvariant();
        if (flags.HasPrecision && flags.Precision == 0 && number.IsZero) return;
        int zeros = flags.HasPrecision ? Math.Max(0, flags.Precision - digits.Length) : 0, left = 0, right = 0;
        int missing = flags.HasWidth ? Math.Max(0, flags.Width - sign.Length - prefix.Length - zeros - digits.Length) : 0;
        if (flags.Minus) right = missing;
        else if (flags.Zero && !flags.HasPrecision) zeros = missing;
        else left = missing;
        writer.Sink.Fill((byte)' ', left);
        writer.Sink.WriteText(sign + prefix);
        writer.Sink.Fill((byte)'0', zeros);
        writer.Sink.WriteText(digits);
        writer.Sink.Fill((byte)' ', right);
    }

    /// <summary>Digits to a base of 2 to 36.</summary>
    public static string InBase(BigInteger number, long radix)
    {
        if (radix is < 2 or > 36) throw new GoCallException("invalid base");
        string digits = "";
        for (BigInteger rest = BigInteger.Abs(number); !rest.IsZero || digits.Length == 0; rest /= radix)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[(int)(rest % radix)] + digits;
        return number.Sign < 0 ? "-" + digits : digits;
    }
}
