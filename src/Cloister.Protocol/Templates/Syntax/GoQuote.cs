using System.Text;
using Cloister.Protocol.Templates.Formatting;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>Go's strconv.Quote, on bytes, with its choices for fmt's %q, %+q and %#q.</summary>
internal static class GoQuote
{
    private static ReadOnlySpan<byte> Digits => "0123456789abcdef"u8;

    /// <summary>A text of ours in double quotes, for messages.</summary>
    public static string Text(string text)
    {
        var quoted = new ByteSink(null);
        Write(quoted, Encoding.UTF8.GetBytes(text), asciiOnly: false);
        return Encoding.UTF8.GetString(quoted.Written);
    }

    /// <summary>Writes a text in double quotes.</summary>
    public static void Write(ByteSink to, ReadOnlySpan<byte> text, bool asciiOnly)
    {
        to.Write((byte)'"');
        for (int at = 0; at < text.Length;)
        {
            (int rune, int width) = GoUtf8.Decode(text[at..]);
            if (rune == GoUtf8.Invalid && width == 1) Hex(to, (byte)'x', text[at], 2);
            else Escaped(to, rune, '"', asciiOnly);
            at += width;
        }
        to.Write((byte)'"');
    }

    /// <summary>Writes a code point in single quotes.</summary>
    public static void WriteCharacter(ByteSink to, long rune, bool asciiOnly)
    {
        to.Write((byte)'\'');
        Escaped(to, rune is >= 0 and <= 0x10FFFF && Rune.IsValid((int)rune) ? (int)rune : GoUtf8.Invalid, '\'', asciiOnly);
        to.Write((byte)'\'');
    }

    /// <summary>Whether Go can write the text between back quotes.</summary>
    public static bool CanBackquote(ReadOnlySpan<byte> text)
    {
        for (int at = 0; at < text.Length;)
        {
            (int rune, int width) = GoUtf8.Decode(text[at..]);
            at += width;
            if (width > 1 ? rune == 0xFEFF : rune == GoUtf8.Invalid || (rune < ' ' && rune != '\t') || rune is '`' or 0x7F) return false;
        }
        return true;
    }

    private static void Escaped(ByteSink to, int rune, char quote, bool asciiOnly)
    {
        if (rune == quote || rune == '\\')
        {
            to.Write((byte)'\\');
            to.Write((byte)rune);
        }
        else if (asciiOnly ? rune is >= 0x20 and < 0x7F : GoUtf8.IsPrint(rune))
        {
            to.WriteRune(rune);
        }
        else if ("\a\b\f\n\r\t\v".IndexOf((char)rune, StringComparison.Ordinal) is >= 0 and int letter && rune < 0x80)
        {
            to.Write((byte)'\\');
            to.Write("abfnrtv"u8[letter]);
        }
        else if (rune is < ' ' or 0x7F) Hex(to, (byte)'x', rune, 2);
        else if (rune < 0x10000) Hex(to, (byte)'u', rune, 4);
        else Hex(to, (byte)'U', rune, 8);
    }

    private static void Hex(ByteSink to, byte letter, int value, int digits)
    {
        to.Write((byte)'\\');
        to.Write(letter);
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) to.Write(Digits[(value >> shift) & 15]);
    }
}
