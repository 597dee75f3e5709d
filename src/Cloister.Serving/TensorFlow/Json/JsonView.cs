using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>
/// A value of a text that <see cref="DocumentScanner"/> has read over without a fault, seen as TF Serving's parser sees it: what
/// kind it is and what it holds. Nothing is copied; to walk it takes time, not memory.
/// </summary>
internal readonly ref struct JsonView
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("{}[]\""u8);

    private readonly ReadOnlySpan<byte> _text;

    public JsonView(ReadOnlySpan<byte> text, int at)
    {
        _text = text;
        Start = SkipSpace(text, at);
    }

    /// <summary>Where the value begins.</summary>
    public int Start { get; }

    public JsonKind Kind => _text[Start] switch
    {
        (byte)'{' => JsonKind.Object,
        (byte)'[' => JsonKind.Array,
        (byte)'"' => JsonKind.String,
        (byte)'t' or (byte)'f' => JsonKind.Boolean,
        (byte)'n' => JsonKind.Null,
        _ => JsonKind.Number,
    };

    /// <summary>The kind's name in messages.</summary>
    public string KindName => Kind switch
    {
        JsonKind.Null => "Null",
        JsonKind.Boolean => IsTrue ? "True" : "False",
        JsonKind.Object => "Object",
        JsonKind.Array => "Array",
        JsonKind.String => "String",
        _ => "Number",
    };

    public bool IsTrue => _text[Start] == 't';

    /// <summary>The number as it is written.</summary>
    public ReadOnlySpan<byte> Number => _text[Start..EndOfScalar(Start)];

    /// <summary>Whether it is no whole number, or one beyond 64 bits.</summary>
    public bool IsDouble => !TryWhole(out _);

    /// <summary>A number's value.</summary>
    public double AsDouble => Number is var text && JsonNumber.ScanWord(text, out float word) == text.Length ? word : double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The value of a whole number of 64 bits, with or without a sign.</summary>
    public bool TryWhole(out Int128 value)
    {
        ReadOnlySpan<byte> text = Number;
        value = 0;
        if (text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') is var other && other > 0 || (other == 0 && text[0] != '-') || text.Length > 20) return false;
        if (text[0] == '-')
        {
            if (!Utf8Parser.TryParse(text, out long negative, out int used) || used != text.Length) return false;
            value = negative;
            return true;
        }
        if (!Utf8Parser.TryParse(text, out ulong whole, out int taken) || taken != text.Length) return false;
        value = whole;
        return true;
    }

    /// <summary>The string's bytes, escapes resolved.</summary>
    public ReadOnlySpan<byte> Text => Resolve(_text[(Start + 1)..(EndOfString(Start) - 1)], Start + 1);

    /// <summary>How many elements or members it has.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (JsonMember _ in this) count++;
            return count;
        }
    }

    /// <summary>The first member of this name.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out JsonView value)
    {
        foreach (JsonMember member in this)
        {
            if (!member.Name.SequenceEqual(name)) continue;
            value = member.Value;
            return true;
        }
        value = default;
        return false;
    }

    /// <summary>Whether it is <c>{"b64": "..."}</c>.</summary>
    public bool IsBase64 => Kind == JsonKind.Object && Count == 1 && TryFind("b64"u8, out JsonView value) && value.Kind == JsonKind.String;

    /// <summary>Its elements, or its members with their names.</summary>
    public Enumerator GetEnumerator() => new(_text, Start);

    /// <summary>The offset behind the value.</summary>
    public int End()
    {
        if (Kind is not (JsonKind.Object or JsonKind.Array)) return Kind == JsonKind.String ? EndOfString(Start) : EndOfScalar(Start);
        int depth = 0;
        for (int at = Start; ; at++)
        {
            at += _text[at..].IndexOfAny(Structure);
            switch (_text[at])
            {
                case (byte)'"':
                    at = EndOfString(at) - 1;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                default:
                    if (--depth == 0) return at + 1;
                    break;
            }
        }
    }

    private int EndOfString(int at)
    {
        at++;
        while (true)
        {
            at += _text[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (_text[at] == '"') return at + 1;
            at += 2;
        }
    }

    // What follows the document may touch its last character.
    private int EndOfScalar(int at) => at + (_text[at] switch { (byte)'t' or (byte)'n' => 4, (byte)'f' => 5, _ => JsonNumber.Scan(_text[at..]) });

    private static ReadOnlySpan<byte> Resolve(ReadOnlySpan<byte> raw, int at) => raw.Contains((byte)'\\') ? JsonEscapes.Resolve(raw, at) : raw;

    private static int SkipSpace(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        return at;
    }

    /// <summary>Walks elements or members.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _text;
        private readonly bool _named;
        private int _at;
        private bool _begun;
        private JsonMember _current;

        internal Enumerator(ReadOnlySpan<byte> text, int start)
        {
            _text = text;
            _named = text[start] == '{';
            _at = start + 1;
        }

        public readonly JsonMember Current => _current;

        public bool MoveNext()
        {
            if (_begun) _at = SkipSpace(_text, _current.Value.End());
            else _at = SkipSpace(_text, _at);
            if (_text[_at] is (byte)'}' or (byte)']') return false;
            if (_begun) _at++;
            _begun = true;
            if (!_named)
            {
                _current = new JsonMember(default, new JsonView(_text, _at));
                return true;
            }
            var name = new JsonView(_text, _at);
            _current = new JsonMember(name, new JsonView(_text, SkipSpace(_text, name.End()) + 1));
            return true;
        }
    }
}

/// <summary>An element of a list, or a member of an object.</summary>
internal readonly ref struct JsonMember(JsonView name, JsonView value)
{
    private readonly JsonView _name = name;

    /// <summary>The member's name; not to be asked of an element.</summary>
    public ReadOnlySpan<byte> Name => _name.Text;

    public JsonView Value { get; } = value;
}
