using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Cloister.Serving.Json;

/// <summary>
/// Reads JSON (RFC 8259, and the bare NaN and Infinity that TF Serving accepts) from one contiguous body, forward only,
/// without a token buffer: the caller says what it expects, and numbers go straight to where they are needed.
/// Every deviation throws <see cref="ServingException"/> with the byte offset.
/// </summary>
internal ref struct JsonCursor
{
    public const int MaximumDepth = 64;

    private static readonly SearchValues<byte> StringStops = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\']);

    private readonly ReadOnlySpan<byte> _text;
    private int _at;
    private int _depth;
    private bool _opened;

    public JsonCursor(ReadOnlySpan<byte> text)
    {
        _text = text;
        // RFC 8259 section 8.1: a byte order mark may be ignored.
        _at = text.StartsWith("\uFEFF"u8) ? 3 : 0;
    }

    /// <summary>Offset of the next unread byte.</summary>
    public readonly int Position => _at;

    /// <summary>The rest of the text, for readers of numbers; <see cref="Advance"/> moves past what they took.</summary>
    public readonly ReadOnlySpan<byte> Rest => _text[_at..];

    public void Advance(int count) => _at += count;

    /// <summary>Moves past what a reader of numbers took, the closing bracket of the list it was in included.</summary>
    public void AdvanceOutOfArray(int count)
    {
        _at += count;
        _depth--;
        _opened = false;
    }

    /// <summary>The kind of the first value that is no list, however deep it lies; nothing is taken.</summary>
    public readonly JsonKind PeekLeaf()
    {
        JsonCursor ahead = this;
        while (ahead.Peek() == JsonKind.Array) ahead._at++;
        return (uint)ahead._at < (uint)_text.Length ? ahead.Peek() : JsonKind.End;
    }

    /// <summary>Goes back to a value whose offset was noted before, at the same depth.</summary>
    public void Return(int position) => _at = position;

    /// <summary>Skips white space and says what follows.</summary>
    public JsonKind Peek()
    {
        SkipSpace();
        if ((uint)_at >= (uint)_text.Length) return JsonKind.End;
        return _text[_at] switch
        {
            (byte)'{' => JsonKind.Object,
            (byte)'[' => JsonKind.Array,
            (byte)'"' => JsonKind.String,
            (byte)'t' or (byte)'f' => JsonKind.Boolean,
            (byte)'n' => JsonKind.Null,
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') or (byte)'N' or (byte)'I' => JsonKind.Number,
            (byte)']' or (byte)'}' => JsonKind.End,
            _ => throw Malformed("a value was expected"),
        };
    }

    public void OpenObject(string what) => Open((byte)'{', what, "an object");

    public void OpenArray(string what) => Open((byte)'[', what, "an array");

    /// <summary>Moves to the next member's value, or past the closing brace. The name is valid until the next call.</summary>
    public bool NextMember(out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!Next((byte)'}')) return false;
        if (Peek() != JsonKind.String) throw Malformed(_at >= _text.Length ? "the document ends too early" : "a member's name was expected");
        name = ReadString();
        SkipSpace();
        if (!TryTake((byte)':')) throw Malformed("':' was expected after a member's name");
        return true;
    }

    /// <summary>Moves to the next element, or past the closing bracket.</summary>
    public bool NextElement() => Next((byte)']');

    /// <summary>The string's UTF-8 bytes, escapes resolved; a view of the body where there are none.</summary>
    public ReadOnlySpan<byte> ReadString()
    {
        SkipSpace();
        if (!TryTake((byte)'"')) throw Malformed("a string was expected");
        int start = _at;
        bool escaped = false;
        while (true)
        {
            int stop = _text[_at..].IndexOfAny(StringStops);
            if (stop < 0) throw Malformed("the string does not end", start - 1);
            _at += stop;
            if (_text[_at] == '"') break;
            if (_text[_at] != '\\') throw Malformed("a control character must be escaped in a string");
            if (_at + 1 >= _text.Length) throw Malformed("the string does not end", start - 1);
            escaped = true;
            _at += 2;
        }
        ReadOnlySpan<byte> raw = _text[start.._at++];
        if (!Utf8.IsValid(raw)) throw Malformed("the string is not valid UTF-8", start);
        return escaped ? JsonEscapes.Resolve(raw, start) : raw;
    }

    /// <summary>As <see cref="ReadString"/>, as text, with a length limit in bytes.</summary>
    public string ReadText(string what, int maximumBytes = 1024)
    {
        if (Peek() != JsonKind.String) throw Invalid($"{what} must be a string");
        ReadOnlySpan<byte> bytes = ReadString();
        if (bytes.Length > maximumBytes) throw Invalid($"{what} is longer than {maximumBytes} bytes");
        return Encoding.UTF8.GetString(bytes);
    }

    public bool ReadBoolean(string what)
    {
        SkipSpace();
        if (TryTake("true"u8)) return true;
        if (TryTake("false"u8)) return false;
        throw Invalid($"{what} must be true or false");
    }

    /// <summary>A whole number within the given range.</summary>
    public long ReadInteger(string what, long minimum, long maximum)
    {
        if (Peek() != JsonKind.Number) throw Invalid($"{what} must be a whole number");
        int start = _at;
        ReadOnlySpan<byte> token = ReadNumberToken();
        if (!System.Buffers.Text.Utf8Parser.TryParse(token, out long value, out int used) || used != token.Length ||
            value < minimum || value > maximum)
            throw Invalid($"{what} must be a whole number from {minimum} to {maximum}", start);
        return value;
    }

    /// <summary>The bytes of a number that follows JSON's grammar (or NaN, Infinity, -Infinity).</summary>
    public ReadOnlySpan<byte> ReadNumberToken()
    {
        SkipSpace();
        ReadOnlySpan<byte> rest = _text[_at..];
        int length = JsonNumber.Scan(rest);
        if (length == 0) throw Malformed("a number was expected");
        _at += length;
        return rest[..length];
    }

    /// <summary>Reads over one value of any kind and checks its form.</summary>
    public void Skip()
    {
        int floor = _depth;
        ulong objects = 0; // one bit a level: 1 for an object, 0 for an array
        do
        {
            bool closed = false;
            if (_depth > floor)
            {
                bool inObject = (objects & (1UL << (_depth - floor - 1))) != 0;
                closed = inObject ? !NextMember(out _) : !NextElement();
            }
            if (closed) continue;
            switch (Peek())
            {
                case JsonKind.Object:
                    OpenObject("the value");
                    objects |= 1UL << (_depth - floor - 1);
                    break;
                case JsonKind.Array:
                    OpenArray("the value");
                    objects &= ~(1UL << (_depth - floor - 1));
                    break;
                case JsonKind.String: ReadString(); break;
                case JsonKind.Number: ReadNumberToken(); break;
                case JsonKind.Boolean: ReadBoolean("the value"); break;
                case JsonKind.Null: ReadNull(); break;
                default: throw Malformed("a value was expected");
            }
        }
        while (_depth > floor);
    }

    public void ReadNull()
    {
        SkipSpace();
        if (!TryTake("null"u8)) throw Malformed("a value was expected");
    }

    /// <summary>Checks that nothing but white space follows.</summary>
    public void End()
    {
        if (Peek() != JsonKind.End || _at < _text.Length) throw Malformed("nothing may follow the document");
    }

    public readonly ServingException Malformed(string reason, int at = -1) =>
        new(ServingError.MalformedJson, $"The body is not valid JSON: {reason} (byte {(at < 0 ? _at : at)}).");

    public readonly ServingException Invalid(string reason, int at = -1) =>
        new(ServingError.InvalidRequest, $"{char.ToUpperInvariant(reason[0])}{reason[1..]} (byte {(at < 0 ? _at : at)}).");

    private void Open(byte bracket, string what, string kind)
    {
        SkipSpace();
        if (!TryTake(bracket)) throw _at >= _text.Length ? Malformed("the document ends too early") : Invalid($"{what} must be {kind}");
        if (++_depth > MaximumDepth) throw Malformed($"values are nested deeper than {MaximumDepth} levels");
        _opened = true;
    }

    private bool Next(byte closing)
    {
        SkipSpace();
        bool first = _opened;
        _opened = false;
        if (TryTake(closing))
        {
            _depth--;
            return false;
        }
        if (first) return true;
        if (!TryTake((byte)',')) throw Malformed(_at >= _text.Length ? "the document ends too early" : $"',' or '{(char)closing}' was expected");
        SkipSpace();
        if ((uint)_at < (uint)_text.Length && _text[_at] == closing) throw Malformed("a value was expected after ','");
        return true;
    }

    private bool TryTake(byte expected)
    {
        if ((uint)_at >= (uint)_text.Length || _text[_at] != expected) return false;
        _at++;
        return true;
    }

    private bool TryTake(ReadOnlySpan<byte> word)
    {
        if (!_text[_at..].StartsWith(word)) return false;
        _at += word.Length;
        return true;
    }

    private void SkipSpace()
    {
        while ((uint)_at < (uint)_text.Length && _text[_at] <= ' ' && _text[_at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') _at++;
    }
}
