using System.Globalization;
using System.Text;

namespace Cloister.Protocol.Manifest;

internal enum GoKind { Null, Bool, Number, String, Array, Object }

/// <summary>A JSON value with everything Go's decoder distinguishes: repeated members in order, numbers as written, and where it stands.</summary>
internal sealed class GoValue
{
    public required GoKind Kind { get; init; }
    /// <summary>A string's content, or a number as written.</summary>
    public string Text { get; init; } = "";
    public bool Boolean { get; init; }
    public IReadOnlyList<GoValue> Items { get; init; } = [];
    public IReadOnlyList<KeyValuePair<string, GoValue>> Members { get; init; } = [];
    public required Range Range { get; init; }
}

internal sealed class GoJsonException(string message) : Exception(message);

/// <summary>
/// Reads JSON by the rules of Go's encoding/json, with its messages: no comments, trailing commas, trailing text or byte order
/// mark; invalid UTF-8 and lone surrogates become U+FFFD, or are refused where <c>strict</c> is set. Bounded in depth and values.
/// </summary>
internal ref struct GoJson
{
    // Go allows a depth of 10,000; no manifest comes near this bound, and the stack stays small.
    private const int MaxDepth = 64;
    private const int MaxValues = 200_000;

    private readonly ReadOnlySpan<byte> _json;
    private readonly bool _strict;
    private int _at;
    private int _values;

    private GoJson(ReadOnlySpan<byte> json, bool strict)
    {
        _json = json;
        _strict = strict;
    }

    /// <summary>The document's value.</summary>
    /// <exception cref="GoJsonException">It is not JSON, or over a bound.</exception>
    public static GoValue Parse(ReadOnlySpan<byte> json, bool strict)
    {
        var reader = new GoJson(json, strict);
        GoValue value = reader.Value(0);
        reader.SkipSpace();
        if (reader._at < json.Length) throw reader.Unexpected("after top-level value");
        return value;
    }

    private GoValue Value(int depth)
    {
        if (depth > MaxDepth) throw new GoJsonException("exceeded max depth");
        if (++_values > MaxValues) throw new GoJsonException($"more than {MaxValues} values");
        SkipSpace();
        int start = _at;
        switch (Peek())
        {
            case (byte)'{': return Object(start, depth);
            case (byte)'[': return Array(start, depth);
            case (byte)'"':
                string text = String();
                return new GoValue { Kind = GoKind.String, Text = text, Range = start.._at };
            case (byte)'t': return Literal("true", GoKind.Bool, true);
            case (byte)'f': return Literal("false", GoKind.Bool, false);
            case (byte)'n': return Literal("null", GoKind.Null, false);
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'): return Number();
            default: throw Unexpected("looking for beginning of value");
        }
    }

    private GoValue Object(int start, int depth)
    {
        var members = new List<KeyValuePair<string, GoValue>>();
        _at++;
        SkipSpace();
        if (Peek() == '}')
        {
            _at++;
            return new GoValue { Kind = GoKind.Object, Range = start.._at };
        }
        while (true)
        {
            SkipSpace();
            if (Peek() != '"') throw Unexpected("looking for beginning of object key string");
            string name = String();
            SkipSpace();
            if (Peek() != ':') throw Unexpected("after object key");
            _at++;
            members.Add(new(name, Value(depth + 1)));
            SkipSpace();
            switch (Peek())
            {
                case (byte)',':
                    _at++;
                    continue;
                case (byte)'}':
                    _at++;
                    return new GoValue { Kind = GoKind.Object, Members = members, Range = start.._at };
                default:
                    throw Unexpected("after object key:value pair");
            }
        }
    }

    private GoValue Array(int start, int depth)
    {
        var items = new List<GoValue>();
        _at++;
        SkipSpace();
        if (Peek() == ']')
        {
            _at++;
            return new GoValue { Kind = GoKind.Array, Range = start.._at };
        }
        while (true)
        {
            items.Add(Value(depth + 1));
            SkipSpace();
            switch (Peek())
            {
                case (byte)',':
                    _at++;
                    continue;
                case (byte)']':
                    _at++;
                    return new GoValue { Kind = GoKind.Array, Items = items, Range = start.._at };
                default:
                    throw Unexpected("after array element");
            }
        }
    }

    private GoValue Literal(string word, GoKind kind, bool value)
    {
        int start = _at;
        for (int i = 0; i < word.Length; i++, _at++)
            if (Peek() != word[i]) throw Unexpected($"in literal {word} (expecting '{word[i]}')");
        return new GoValue { Kind = kind, Boolean = value, Range = start.._at };
    }

    private GoValue Number()
    {
        int start = _at;
        if (_json[_at] == '-') _at++;
        if (TryPeek() == '0') _at++;
        else Digits("in numeric literal");
        if (TryPeek() == '.')
        {
            _at++;
            Digits("after decimal point in numeric literal");
        }
        if (TryPeek() is 'e' or 'E')
        {
            _at++;
            if (TryPeek() is '+' or '-') _at++;
            Digits("in exponent of numeric literal");
        }
        return new GoValue { Kind = GoKind.Number, Text = Encoding.ASCII.GetString(_json[start.._at]), Range = start.._at };
    }

    private void Digits(string where)
    {
        if (Peek() is < (byte)'0' or > (byte)'9') throw Unexpected(where);
        while (TryPeek() is >= '0' and <= '9') _at++;
    }

    private string String()
    {
        var text = new StringBuilder();
        _at++;
        while (true)
        {
            byte c = Peek();
            if (c == '"')
            {
                _at++;
                return text.ToString();
            }
            if (c < 0x20) throw Unexpected("in string literal");
            if (c == '\\') Escape(text);
            else if (c < 0x80)
            {
                text.Append((char)c);
                _at++;
            }
            else NonAscii(text);
        }
    }

    private void NonAscii(StringBuilder text)
    {
        if (Rune.DecodeFromUtf8(_json[_at..], out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            text.Append(rune.ToString());
            _at += consumed;
            return;
        }
        if (_strict) throw new GoJsonException($"invalid UTF-8 at byte {_at}");
        text.Append('\uFFFD');
        _at++;
    }

    private void Escape(StringBuilder text)
    {
        _at++;
        char? simple = (char)Peek() switch
        {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => null,
            _ => throw Unexpected("in string escape code"),
        };
        _at++;
        if (simple is { } c)
        {
            text.Append(c);
            return;
        }
        char first = Hex4();
        if (!char.IsSurrogate(first))
        {
            text.Append(first);
            return;
        }
        if (char.IsHighSurrogate(first) && _at + 1 < _json.Length && _json[_at] == '\\' && _json[_at + 1] == 'u')
        {
            int back = _at;
            _at += 2;
            char second = Hex4();
            if (char.IsLowSurrogate(second))
            {
                text.Append(first).Append(second);
                return;
            }
            _at = back;
        }
        if (_strict) throw new GoJsonException($"lone surrogate escape before byte {_at}");
        text.Append('\uFFFD');
    }

    private char Hex4()
    {
        int code = 0;
        for (int i = 0; i < 4; i++, _at++)
        {
            byte c = Peek();
            if (!char.IsAsciiHexDigit((char)c)) throw Unexpected("in \\u hexadecimal character escape");
            code = code << 4 | int.Parse([(char)c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }
        return (char)code;
    }

    private void SkipSpace()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') _at++;
    }

    private readonly byte Peek() => _at < _json.Length ? _json[_at] : throw new GoJsonException("unexpected end of JSON input");

    private readonly int TryPeek() => _at < _json.Length ? _json[_at] : -1;

    private readonly GoJsonException Unexpected(string where)
    {
        char c = (char)Peek(); // Go prints the byte as a Latin-1 character
        string quoted = c switch
        {
            '\'' => "'\\''",
            '"' => "'\"'",
            < ' ' or (>= '\x7f' and < '\xa0') => $"'\\x{(int)c:x2}'",
            _ => $"'{c}'",
        };
        return new GoJsonException($"invalid character {quoted} {where}");
    }
}
