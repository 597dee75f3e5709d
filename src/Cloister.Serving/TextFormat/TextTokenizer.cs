namespace Cloister.Serving.TextFormat;

/// <summary>
/// Cuts a document into the tokens of protobuf's text format (protobuf.dev, "Text Format Language Specification", characters and
/// lexical elements).
/// </summary>
internal ref struct TextTokenizer(ReadOnlySpan<byte> bytes, string document)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _at;
    private int _line = 1;
    private int _column = 1;

    /// <summary>The token's bytes.</summary>
    public readonly ReadOnlySpan<byte> BytesOf(TextToken token) => _bytes.Slice(token.Start, token.Length);

    /// <summary>The next token.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/>.</exception>
    public TextToken Next()
    {
        SkipSpaceAndComments();
        TextPosition position = Here();
        int start = _at;
        if (_at == _bytes.Length) return new(TextTokenKind.End, position, start, 0);
        byte first = _bytes[_at];
        TextTokenKind kind;
        if (IsLetter(first)) kind = Word();
        else if (char.IsAsciiDigit((char)first) || (first == '.' && char.IsAsciiDigit((char)Peek(1)))) kind = Number(position);
        else if (first is (byte)'"' or (byte)'\'') kind = Quoted(first, position);
        else if (":{}<>[],;-/."u8.Contains(first)) kind = Symbol();
        else throw position.Refusal(ServingError.SettingsMalformed, $"{Describe(first)} has no meaning here.");
        return new(kind, position, start, _at - start);
    }

    private static bool IsLetter(byte value) => char.IsAsciiLetter((char)value) || value == '_';

    private static bool IsWordPart(byte value) => IsLetter(value) || char.IsAsciiDigit((char)value);

    private static string Describe(byte value) => value is > 0x20 and < 0x7F ? $"'{(char)value}'" : $"byte 0x{value:x2}";

    private readonly TextPosition Here() => new(document, _line, _column);

    private readonly byte Peek(int ahead) => _at + ahead < _bytes.Length ? _bytes[_at + ahead] : (byte)0;

    private void Step()
    {
        byte passed = _bytes[_at++];
        if (passed == '\n') (_line, _column) = (_line + 1, 1);
        else if ((passed & 0xC0) != 0x80) _column++; // continuation bytes of UTF-8 belong to the character before
    }

    private void SkipSpaceAndComments()
    {
        while (_at < _bytes.Length)
        {
            if (_bytes[_at] == '#')
            {
                while (_at < _bytes.Length && _bytes[_at] != '\n') Step();
            }
            else if (_bytes[_at] is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r'))
            {
                Step();
            }
            else
            {
                return;
            }
        }
    }

    private TextTokenKind Word()
    {
        while (IsWordPart(Peek(0))) Step();
        return TextTokenKind.Word;
    }

    private TextTokenKind Symbol()
    {
        Step();
        return TextTokenKind.Symbol;
    }

    private TextTokenKind Number(TextPosition position)
    {
        int start = _at;
        bool real = false;
        if (Peek(0) == '0' && (Peek(1) | 0x20) == 'x')
        {
            Step();
            Step();
            if (!char.IsAsciiHexDigit((char)Peek(0))) throw position.Refusal(ServingError.SettingsMalformed, "0x must be followed by hexadecimal digits.");
            while (char.IsAsciiHexDigit((char)Peek(0))) Step();
        }
        else
        {
            Digits();
            ReadOnlySpan<byte> whole = _bytes[start.._at];
            if (Peek(0) == '.')
            {
                real = true;
                Step();
                Digits();
            }
            if ((Peek(0) | 0x20) == 'e')
            {
                real = true;
                Step();
                if (Peek(0) is (byte)'+' or (byte)'-') Step();
                if (!char.IsAsciiDigit((char)Peek(0))) throw position.Refusal(ServingError.SettingsMalformed, "An exponent needs digits.");
                Digits();
            }
            if ((Peek(0) | 0x20) == 'f')
            {
                real = true;
                Step();
            }
            if (whole is [(byte)'0', _, ..] && (real || whole.ContainsAnyExceptInRange((byte)'0', (byte)'7')))
                throw position.Refusal(ServingError.SettingsMalformed, "A number that starts with 0 is octal; leave the 0 out.");
        }
        if (IsWordPart(Peek(0)) || Peek(0) == '.') throw Here().Refusal(ServingError.SettingsMalformed, "A number and what follows it need a space between them.");
        return real ? TextTokenKind.Float : TextTokenKind.Integer;
    }

    private void Digits()
    {
        while (char.IsAsciiDigit((char)Peek(0))) Step();
    }

    private TextTokenKind Quoted(byte quote, TextPosition position)
    {
        Step();
        while (_at < _bytes.Length && _bytes[_at] != quote)
        {
            if (_bytes[_at] == '\n') throw position.Refusal(ServingError.SettingsMalformed, "The string is not closed on its line; end it with its quote, or continue it in a second string.");
            if (_bytes[_at] == '\\' && _at + 1 < _bytes.Length && _bytes[_at + 1] != '\n') Step();
            Step();
        }
        if (_at == _bytes.Length) throw position.Refusal(ServingError.SettingsMalformed, "The string is not closed.");
        Step();
        return TextTokenKind.String;
    }
}
