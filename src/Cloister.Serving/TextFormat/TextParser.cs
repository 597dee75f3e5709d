using System.Buffers;
using System.Text;

namespace Cloister.Serving.TextFormat;

/// <summary>
/// Reads protobuf's text format (protobuf.dev, "Text Format Language Specification") into a tree without a schema;
/// <see cref="TextFields"/> gives it meaning. Extensions and expanded <c>Any</c> messages are refused: no document here has them.
/// </summary>
internal ref struct TextParser
{
    /// <summary>The largest document, in bytes.</summary>
    public const int MaximumBytes = 1 << 20;

    /// <summary>How deep messages may lie in each other.</summary>
    public const int MaximumDepth = 64;

    private TextTokenizer _tokens;
    private TextToken _token;

    private TextParser(ReadOnlySpan<byte> bytes, string document)
    {
        _tokens = new TextTokenizer(bytes, document);
        _token = _tokens.Next();
    }

    /// <summary>Reads a whole document.</summary>
    /// <param name="bytes">The document, UTF-8; a byte order mark is passed over.</param>
    /// <param name="document">What it is called in a refusal.</param>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/>: the text says where and what was expected.</exception>
    public static TextMessage Parse(ReadOnlySpan<byte> bytes, string document)
    {
        var start = new TextPosition(document, 1, 1);
        if (bytes.Length > MaximumBytes) throw start.Refusal(ServingError.SettingsMalformed, $"The document is larger than {MaximumBytes} bytes.");
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        var parser = new TextParser(bytes, document);
        TextMessage message = parser.Fields(start, 0, default);
        return message;
    }

    /// <summary>Fuzzing target: anything but the documented refusal is a fault.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Parse(bytes, "fuzz");
        }
        catch (ServingException refusal) when (refusal.Error == ServingError.SettingsMalformed)
        {
            // The documented refusal.
        }
    }

    /// <summary>Fields up to the closing symbol, which is passed; up to the end of the document if there is none.</summary>
    private TextMessage Fields(TextPosition position, int depth, byte close)
    {
        if (depth > MaximumDepth) throw position.Refusal(ServingError.SettingsMalformed, $"Messages lie deeper than {MaximumDepth} in each other.");
        var fields = new List<TextField>();
        while (true)
        {
            if (close == default && _token.Kind == TextTokenKind.End) break;
            if (close != default && TryPass(close)) break;
            fields.Add(Field(depth, close));
            if (!TryPass((byte)',')) TryPass((byte)';');
        }
        return new TextMessage(position, fields);
    }

    private TextField Field(int depth, byte close)
    {
        TextPosition position = _token.Position;
        if (Is((byte)'[')) throw position.Refusal(ServingError.SettingsMalformed, "Extensions and expanded Any messages ([...]) are not read here.");
        if (_token.Kind != TextTokenKind.Word)
            throw Expected(close == default ? "a field's name or the end of the document" : $"a field's name or '{(char)close}'");
        string name = Encoding.ASCII.GetString(_tokens.BytesOf(_token));
        _token = _tokens.Next();
        bool colon = TryPass((byte)':');
        if (!colon && !Is((byte)'{') && !Is((byte)'<') && !Is((byte)'[')) throw Expected($"':' or '{{' after '{name}'");
        if (!Is((byte)'[')) return new TextField(name, position, false, [Value(depth, scalars: colon)]);
        return new TextField(name, position, true, List(depth, scalars: colon));
    }

    private List<TextValue> List(int depth, bool scalars)
    {
        _token = _tokens.Next();
        var values = new List<TextValue>();
        if (TryPass((byte)']')) return values;
        while (true)
        {
            values.Add(Value(depth, scalars));
            if (TryPass((byte)']')) return values;
            if (!TryPass((byte)',')) throw Expected("',' or ']'");
        }
    }

    private TextValue Value(int depth, bool scalars)
    {
        TextPosition position = _token.Position;
        if (TryPass((byte)'{')) return new TextMessageValue(position, Fields(position, depth + 1, (byte)'}'));
        if (TryPass((byte)'<')) return new TextMessageValue(position, Fields(position, depth + 1, (byte)'>'));
        if (!scalars) throw Expected("'{' or '<'");
        if (_token.Kind == TextTokenKind.String) return new TextString(position, Strings());
        bool negative = TryPass((byte)'-');
        if (_token.Kind is not (TextTokenKind.Word or TextTokenKind.Integer or TextTokenKind.Float)) throw Expected(negative ? "a number after '-'" : "a value");
        string text = Encoding.ASCII.GetString(_tokens.BytesOf(_token));
        TextTokenKind kind = _token.Kind;
        if (negative && kind == TextTokenKind.Word && !TextFields.IsInfinity(text) && !TextFields.IsNaN(text)) throw Expected("a number after '-'");
        _token = _tokens.Next();
        return kind == TextTokenKind.Word ? new TextWord(position, text, negative) : new TextNumber(position, text, negative, kind == TextTokenKind.Integer);
    }

    private byte[] Strings()
    {
        var bytes = new ArrayBufferWriter<byte>();
        while (_token.Kind == TextTokenKind.String)
        {
            TextEscapes.Decode(_tokens.BytesOf(_token), bytes, _token.Position);
            _token = _tokens.Next();
        }
        return bytes.WrittenSpan.ToArray();
    }

    private readonly bool Is(byte symbol) => _token.Kind == TextTokenKind.Symbol && _tokens.BytesOf(_token)[0] == symbol;

    private bool TryPass(byte symbol)
    {
        if (!Is(symbol)) return false;
        _token = _tokens.Next();
        return true;
    }

    private readonly ServingException Expected(string what)
    {
        // A string may be a key: what it says stays out.
        string found = _token.Kind switch
        {
            TextTokenKind.End => "the end of the document",
            TextTokenKind.String => "a string",
            _ => $"'{Encoding.ASCII.GetString(_tokens.BytesOf(_token)[..Math.Min(_token.Length, 40)])}'",
        };
        return _token.Position.Refusal(ServingError.SettingsMalformed, $"{found} stands where {what} is expected.");
    }
}
