using System.Globalization;
using Cloister.Protocol.Templates.Syntax;

namespace Cloister.Protocol.Templates.Formatting;

/// <summary>Writes single texts and integers as Go's fmt does, with padding. Text may be secret and stays in bytes.</summary>
internal sealed class FormatWriter(ByteSink sink)
{
    private static ReadOnlySpan<byte> Lower => "0123456789abcdef"u8;

    private static ReadOnlySpan<byte> Upper => "0123456789ABCDEF"u8;

    public FormatFlags Flags;

    public ByteSink Sink => sink;

    public void Bool(bool value) => Pad(value ? "true"u8 : "false"u8);

    /// <summary>%s: as far as the precision goes.</summary>
    public void Text(ReadOnlySpan<byte> text) => Pad(Truncated(text));

    /// <summary>%q.</summary>
    public void Quoted(ReadOnlySpan<byte> text, ByteSink scratch)
    {
        text = Truncated(text);
        if (Flags.Sharp && GoQuote.CanBackquote(text))
        {
            scratch.Write((byte)'`');
            scratch.Write(text);
            scratch.Write((byte)'`');
        }
        else
        {
            GoQuote.Write(scratch, text, asciiOnly: Flags.Plus);
        }
        Pad(scratch.Written);
    }

    /// <summary>%x and %X of text or bytes.</summary>
    public void Hex(ReadOnlySpan<byte> bytes, bool upper)
    {
        if (Flags.HasPrecision && Flags.Precision < bytes.Length) bytes = bytes[..Flags.Precision];
        if (bytes.IsEmpty)
        {
            if (Flags.HasWidth) Padding(Flags.Width);
            return;
        }
        int width = 2 * bytes.Length;
        if (Flags.Space) width = width * (Flags.Sharp ? 2 : 1) + bytes.Length - 1;
        else if (Flags.Sharp) width += 2;
        bool padded = Flags.HasWidth && Flags.Width > width;
        if (padded && !Flags.Minus) Padding(Flags.Width - width);
        ReadOnlySpan<byte> digits = upper ? Upper : Lower;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (Flags.Space && i > 0) sink.Write((byte)' ');
            if (Flags.Sharp && (Flags.Space || i == 0)) Prefix(upper ? 'X' : 'x');
            sink.Write(digits[bytes[i] >> 4]);
            sink.Write(digits[bytes[i] & 15]);
        }
        if (padded && Flags.Minus) Padding(Flags.Width - width);
    }

    /// <summary>%d, %b, %o, %O, %x, %X.</summary>
    public void Integer(Int128 value, int radix, char verb)
    {
        bool negative = value < 0;
        UInt128 rest = (UInt128)(negative ? -value : value);
        int digits = 1;
        if (Flags.HasPrecision)
        {
            digits = Flags.Precision;
            if (digits == 0 && rest == 0)
            {
                Spaces(Flags.HasWidth ? Flags.Width : 0);
                return;
            }
        }
        else if (Flags.Zero && !Flags.Minus && Flags.HasWidth)
        {
            digits = Flags.Width - (negative || Flags.Plus || Flags.Space ? 1 : 0);
        }
        Span<byte> reversed = stackalloc byte[132];
        ReadOnlySpan<byte> letters = verb == 'X' ? Upper : Lower;
        int count = 0;
        do
        {
            reversed[count++] = letters[(int)(rest % (uint)radix)];
            rest /= (uint)radix;
        }
        while (rest != 0);
        int zeros = Math.Max(0, digits - count);
        string prefix = (verb, radix) switch
        {
            ('O', _) => Flags.Sharp && zeros == 0 && reversed[count - 1] != '0' ? "0o0" : "0o",
            (_, 2) when Flags.Sharp => "0b",
            (_, 8) when Flags.Sharp => zeros > 0 || reversed[count - 1] == '0' ? "" : "0",
            (_, 16) when Flags.Sharp => verb == 'X' ? "0X" : "0x",
            _ => "",
        };
        string sign = negative ? "-" : Flags.Plus ? "+" : Flags.Space ? " " : "";
        int missing = Flags.HasWidth ? Flags.Width - sign.Length - prefix.Length - zeros - count : 0;
        if (!Flags.Minus) Spaces(missing);
        sink.WriteText(sign + prefix);
        sink.Fill((byte)'0', zeros);
        while (count > 0) sink.Write(reversed[--count]);
        if (Flags.Minus) Spaces(missing);
    }

    /// <summary>%c.</summary>
    public void Character(UInt128 value)
    {
        Span<byte> utf8 = stackalloc byte[4];
        Pad(utf8[..GoUtf8.Encode(value <= 0x10FFFF ? (int)value : GoUtf8.Invalid, utf8)]);
    }

    /// <summary>%q of an integer.</summary>
    public void QuotedCharacter(UInt128 value)
    {
        var quoted = new ByteSink(null);
        GoQuote.WriteCharacter(quoted, value <= 0x10FFFF ? (long)value : GoUtf8.Invalid, asciiOnly: Flags.Plus);
        Pad(quoted.Written);
    }

    /// <summary>%U.</summary>
    public void CodePoint(UInt128 value)
    {
        int digits = Flags.HasPrecision ? Math.Max(4, Flags.Precision) : 4;
        string text = "U+" + ((ulong)value).ToString("X" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        if (Flags.Sharp && value <= 0x10FFFF && GoUtf8.IsPrint((int)value)) text += $" '{char.ConvertFromUtf32((int)value)}'";
        bool zero = Flags.Zero;
        Flags.Zero = false;
        Pad(System.Text.Encoding.UTF8.GetBytes(text));
        Flags.Zero = zero;
    }

    /// <summary>Writes a text in the width, counted in code points.</summary>
    public void Pad(ReadOnlySpan<byte> text)
    {
        int missing = Flags.HasWidth ? Flags.Width - GoUtf8.Count(text) : 0;
        if (!Flags.Minus) Padding(missing);
        sink.Write(text);
        if (Flags.Minus) Padding(missing);
    }

    /// <summary>Zeros if the flag says so and they stand on the left; else spaces.</summary>
    public void Padding(int count) => sink.Fill(Flags.Zero && !Flags.Minus ? (byte)'0' : (byte)' ', Math.Max(0, count));

    private void Spaces(int count) => sink.Fill((byte)' ', Math.Max(0, count));

    private void Prefix(char letter)
    {
        sink.Write((byte)'0');
        sink.Write((byte)letter);
    }

    private ReadOnlySpan<byte> Truncated(ReadOnlySpan<byte> text)
    {
        if (!Flags.HasPrecision) return text;
        int at = 0;
        for (int left = Flags.Precision; left > 0 && at < text.Length; left--) at += GoUtf8.Decode(text[at..]).Width;
        return text[..at];
    }
}
