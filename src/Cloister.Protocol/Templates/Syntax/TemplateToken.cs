namespace Cloister.Protocol.Templates.Syntax;

internal enum TokenKind
{
    Error, Text, LeftDelim, RightDelim, Space, End,
    Bool, Char, CharConstant, Complex, Number, String, RawString,
    Assign, Declare, Pipe, LeftParen, RightParen,
    Dot, Field, Variable, Identifier, Nil,
    Block, Break, Continue, Define, Else, EndKeyword, If, Range, Template, With,
}

/// <summary>A token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Offset of its first byte.</param>
/// <param name="Bytes">As written, quotes included; text is already trimmed.</param>
/// <param name="Line">Line of its first byte, from 1.</param>
/// <param name="Message">Of an error.</param>
internal readonly record struct TemplateToken(TokenKind Kind, int Position, ReadOnlyMemory<byte> Bytes, int Line, string Message)
{
    public string Value => System.Text.Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>As Go's parser names it in messages.</summary>
    public string Shown
    {
        get
        {
            switch (Kind)
            {
                case TokenKind.End: return "EOF";
                case TokenKind.Error: return Message;
                case >= TokenKind.Block:
                case TokenKind.Dot:
                case TokenKind.Nil: return $"<{Value}>";
            }
            string value = Value;
            if (Bytes.Length <= 10) return GoQuote.Text(value);
            int cut = 0;
            for (int runes = 0; runes < 10 && cut < value.Length; runes++) cut += char.IsSurrogatePair(value, cut) ? 2 : 1;
            return GoQuote.Text(value[..cut]) + "...";
        }
    }
}
