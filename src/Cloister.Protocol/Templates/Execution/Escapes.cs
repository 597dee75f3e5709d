using Cloister.Protocol.Templates.Formatting;
using Cloister.Protocol.Templates.Syntax;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>html, js and urlquery, as Go's text/template and net/url write them.</summary>
internal static class Escapes
{
    private static ReadOnlySpan<byte> Digits => "0123456789ABCDEF"u8;

    public static void Html(ByteSink to, ReadOnlySpan<byte> text)
    {
        foreach (byte b in text)
        {
            switch (b)
            {
                case 0: to.Write("\uFFFD"u8); break;
                case (byte)'"': to.Write("&#34;"u8); break;
                case (byte)'\'': to.Write("&#39;"u8); break;
                case (byte)'&': to.Write("&amp;"u8); break;
                case (byte)'<': to.Write("&lt;"u8); break;
                case (byte)'>': to.Write("&gt;"u8); break;
                default: to.Write(b); break;
            }
        }
    }

    public static void JavaScript(ByteSink to, ReadOnlySpan<byte> text)
    {
        for (int at = 0; at < text.Length;)
        {
            (int rune, int width) = GoUtf8.Decode(text[at..]);
            switch (rune)
            {
                case '\\' or '\'' or '"':
                    to.Write((byte)'\\');
                    to.Write((byte)rune);
                    break;
                case '<' or '>' or '&' or '=' or < ' ': CodeUnit(to, rune, 4); break;
                case < 0x80: to.Write((byte)rune); break;
                // An invalid byte is printable U+FFFD to Go, which copies the byte itself.
                case GoUtf8.Invalid: to.Write(text.Slice(at, width)); break;
                default:
                    if (GoUtf8.IsPrint(rune)) to.Write(text.Slice(at, width));
                    else CodeUnit(to, rune, rune > 0xFFFF ? rune > 0xFFFFF ? 6 : 5 : 4);
                    break;
            }
            at += width;
        }
    }

    public static void UrlQuery(ByteSink to, ReadOnlySpan<byte> text)
    {
        foreach (byte b in text)
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~') to.Write(b);
            else if (b == ' ') to.Write((byte)'+');
            else
            {
                to.Write((byte)'%');
                to.Write(Digits[b >> 4]);
                to.Write(Digits[b & 15]);
            }
        }
    }

    private static void CodeUnit(ByteSink to, int rune, int digits)
    {
        to.Write("\\u"u8);
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) to.Write(Digits[(rune >> shift) & 15]);
    }
}
