using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cloister.Serving.TextFormat;

/// <summary>Undoes the escapes of a quoted string (specification, "String Literals").</summary>
internal static class TextEscapes
{
    /// <summary>Appends what the quoted literal stands for.</summary>
    /// <param name="literal">The literal with its quotes, as the tokenizer found it.</param>
    /// <param name="output">Takes the bytes.</param>
    /// <param name="position">Where the literal starts.</param>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/>.</exception>
    public static void Decode(ReadOnlySpan<byte> literal, ArrayBufferWriter<byte> output, TextPosition position)
    {
        ReadOnlySpan<byte> rest = literal[1..^1];
        while (rest.IndexOf((byte)'\\') is var escape and >= 0)
        {
            output.Write(rest[..escape]);
            int used = DecodeOne(rest[(escape + 1)..], output);
            if (used == 0) throw position.Refusal(ServingError.SettingsMalformed, "The string has an escape that does not exist; \\a \\b \\f \\n \\r \\t \\v \\? \\\\ \\' \\\" \\ooo \\xhh \\uhhhh \\Uhhhhhhhh do.");
            rest = rest[(escape + 1 + used)..];
        }
        output.Write(rest);
    }

    /// <summary>Decodes what follows a backslash; 0 if it is no escape.</summary>
    private static int DecodeOne(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        if (text.IsEmpty) return 0;
        if (text[0] is >= (byte)'0' and <= (byte)'7') return Octal(text, output);
        switch (text[0])
        {
            case (byte)'x' or (byte)'X': return Hexadecimal(text, output);
            case (byte)'u': return Unicode(text, 4, output);
            case (byte)'U': return Unicode(text, 8, output);
        }
        int simple = "abfnrtv?\\'\""u8.IndexOf(text[0]);
        if (simple < 0) return 0;
        output.Write("\a\b\f\n\r\t\v?\\'\""u8.Slice(simple, 1));
        return 1;
    }

    private static int Octal(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        int value = 0, used = 0;
        while (used < 3 && used < text.Length && text[used] is >= (byte)'0' and <= (byte)'7') value = (value * 8) + text[used++] - '0';
        if (value > byte.MaxValue) return 0;
        output.Write([(byte)value]);
        return used;
    }

    private static int Hexadecimal(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        int digits = 0;
        while (digits < 2 && digits + 1 < text.Length && char.IsAsciiHexDigit((char)text[digits + 1])) digits++;
        if (digits == 0) return 0;
        output.Write([byte.Parse(text.Slice(1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)]);
        return 1 + digits;
    }

    private static int Unicode(ReadOnlySpan<byte> text, int digits, ArrayBufferWriter<byte> output)
    {
        if (text.Length <= digits || !uint.TryParse(text.Slice(1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) || !Rune.TryCreate(value, out Rune rune)) return 0;
        Span<byte> utf8 = stackalloc byte[4];
        output.Write(utf8[..rune.EncodeToUtf8(utf8)]);
        return 1 + digits;
    }
}
