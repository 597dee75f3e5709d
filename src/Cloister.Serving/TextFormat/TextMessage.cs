namespace Cloister.Serving.TextFormat;

/// <summary>A message as it was written: its fields in order, without a schema.</summary>
internal sealed record TextMessage(TextPosition Position, IReadOnlyList<TextField> Fields);

/// <summary>One <c>name: value</c>. A list holds any number of values, anything else exactly one.</summary>
internal sealed record TextField(string Name, TextPosition Position, bool IsList, IReadOnlyList<TextValue> Values);

/// <summary>A value as it was written.</summary>
internal abstract record TextValue(TextPosition Position)
{
    /// <summary>What it is, for a refusal.</summary>
    public abstract string Description { get; }
}

/// <summary><c>{ ... }</c> or <c>&lt; ... &gt;</c>.</summary>
internal sealed record TextMessageValue(TextPosition Position, TextMessage Message) : TextValue(Position)
{
    public override string Description => "a message";
}

/// <summary>One or more quoted strings, joined and without escapes. They are bytes: only a string field wants UTF-8.</summary>
internal sealed record TextString(TextPosition Position, byte[] Bytes) : TextValue(Position)
{
    public override string Description => "a string";
}

/// <summary>A word: an enum's name, a boolean, <c>inf</c> or <c>nan</c>.</summary>
internal sealed record TextWord(TextPosition Position, string Word, bool IsNegative) : TextValue(Position)
{
    public override string Description => $"'{(IsNegative ? "-" : "")}{Word}'";
}

/// <summary>A number's literal, without its sign.</summary>
internal sealed record TextNumber(TextPosition Position, string Literal, bool IsNegative, bool IsInteger) : TextValue(Position)
{
    public override string Description => $"{(IsNegative ? "-" : "")}{Literal}";
}
