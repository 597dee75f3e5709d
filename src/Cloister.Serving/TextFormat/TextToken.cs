namespace Cloister.Serving.TextFormat;

internal enum TextTokenKind
{
    End,
    Word,
    Integer,
    Float,
    String,
    Symbol,
}

/// <summary>A token: where it starts, and its bytes with quotes but without white space.</summary>
internal readonly record struct TextToken(TextTokenKind Kind, TextPosition Position, int Start, int Length);
