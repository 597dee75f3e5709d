using System.Globalization;
using System.Text;
using Cloister.Protocol.Templates.Formatting;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>String and character literals, as Go's strconv.Unquote reads them.</summary>
internal static class GoLiteral
{
    /// <summary>The text of a literal in double or back quotes; null where Go says "invalid syntax".</summary>
    public static byte[]? Unquote(ReadOnlySpan<byte> literal)
    {
        ReadOnlySpan<byte> inside = literal[1..^1];
        var text = new ByteSink(null);
        if (literal[0] == '`')
        {
            foreach (byte b in inside)
                if (b != '\r') text.Write(b);
            return text.Written.ToArray();
        }
        while (!inside.IsEmpty)
        {
            if (!TryCharacter(ref inside, '"', out int value, out bool isByte)) return null;
            if (isByte) text.Write((byte)value);
            else text.WriteRune(value);
        }
        return text.Written.ToArray();
    }

    /// <summary>The code point of a character literal; the reason where it is none.</summary>
    public static (int Value, string? Error) Character(ReadOnlySpan<byte> literal)
    {
        ReadOnlySpan<byte> rest = literal[1..];
        if (!TryCharacter(ref rest, '\'', out int value, out _)) return (0, "invalid syntax");
        return rest.SequenceEqual("'"u8) ? (value, null) : (0, $"malformed character constant: {Encoding.UTF8.GetString(literal)}");
    }

    private static bool TryCharacter(ref ReadOnlySpan<byte> rest, char quote, out int value, out bool isByte)
    {
        isByte = false;
        (value, int width) = GoUtf8.Decode(rest);
        if (value == quote) return false;
        rest = rest[width..];
        if (value != '\\') return true;
        if (rest.IsEmpty) return false;
        char letter = (char)rest[0];
        rest = rest[1..];
        switch (letter)
        {
            case 'a': value = '\a'; return true;
            case 'b': value = '\b'; return true;
            case 'f': value = '\f'; return true;
            case 'n': value = '\n'; return true;
            case 'r': value = '\r'; return true;
            case 't': value = '\t'; return true;
            case 'v': value = '\v'; return true;
            case '\\': value = '\\'; return true;
            case '\'' or '"': value = letter; return letter == quote;
            case 'x':
                isByte = true;
                return TryHex(ref rest, 2, out value);
            case 'u': return TryHex(ref rest, 4, out value) && Rune.IsValid(value);
            case 'U': return TryHex(ref rest, 8, out value) && Rune.IsValid(value);
            case >= '0' and <= '7':
                isByte = true;
                value = letter - '0';
                if (rest.Length < 2) return false;
                for (int i = 0; i < 2; i++)
                {
                    if (rest[i] is < (byte)'0' or > (byte)'7') return false;
                    value = value * 8 + rest[i] - '0';
                }
                rest = rest[2..];
                return value <= 255;
            default: return false;
        }
    }

    private static bool TryHex(ref ReadOnlySpan<byte> rest, int digits, out int value)
    {
        value = 0;
        if (rest.Length < digits) return false;
        foreach (byte digit in rest[..digits])
            if (!char.IsAsciiHexDigit((char)digit)) return false;
        _ = int.TryParse(rest[..digits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        rest = rest[digits..];
        return true;
    }
}
