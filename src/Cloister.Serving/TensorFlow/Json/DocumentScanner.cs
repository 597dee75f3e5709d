using System.Buffers;

namespace Cloister.Serving.TensorFlow.Json;

/// <summary>
/// The grammar that TF Serving's JSON parser has: RFC 8259 nested to any depth, bare NaN and infinities, strings whose bytes are
/// not looked at, and nothing of what follows the document. It says what is wrong in that parser's words, and where.
/// </summary>
internal ref struct DocumentScanner
{
    private const int FirstLevels = 1 << 11;

    private readonly ReadOnlySpan<byte> _text;
    private int _at;
    private byte[] _objects = ArrayPool<byte>.Shared.Rent(FirstLevels / 8); // one bit a level: 1 for an object, 0 for a list
    private int _depth;

    private DocumentScanner(ReadOnlySpan<byte> text, int at)
    {
        _text = text;
        _at = at;
    }

    private enum State
    {
        Start, ObjectOpened, NameRead, MemberRead, ListOpened, ElementRead, ElementExpected, NameExpected, ValueExpected, Done,
    }

    /// <summary>Reads over one value.</summary>
    /// <param name="text">The body.</param>
    /// <param name="at">Where it begins, then where it ended; or where it is wrong.</param>
    /// <returns>What is wrong; null if nothing is.</returns>
    public static string? Scan(ReadOnlySpan<byte> text, ref int at)
    {
        var scanner = new DocumentScanner(text, at);
        try
        {
            string? fault = scanner.Run();
            at = scanner._at;
            return fault;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scanner._objects);
        }
    }

    // A zero byte ends the text, as it does for a parser of C strings.
    private readonly byte Next => (uint)_at < (uint)_text.Length ? _text[_at] : (byte)0;

    private string? Run()
    {
        var state = State.Start;
        while (true)
        {
            while (Next is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') _at++;
            if (Next == 0) return Missing(state);
            string? fault = state switch
            {
                State.ObjectOpened or State.NameExpected => ReadName(ref state),
                State.NameRead => ReadColon(ref state),
                State.MemberRead => ReadDelimiter(ref state, (byte)'}', State.NameExpected),
                State.ElementRead => ReadDelimiter(ref state, (byte)']', State.ElementExpected),
                _ => ReadValue(ref state),
            };
            if (fault is not null) return fault;
            if (state == State.Done) return null;
        }
    }

    private string? ReadName(ref State state)
    {
        if (Next == '}')
        {
            if (state == State.NameExpected) return Missing(state);
            Close(ref state);
            return null;
        }
        if (Next != '"') return Missing(state);
        state = State.NameRead;
        return ReadString();
    }

    private string? ReadColon(ref State state)
    {
        if (Next != ':') return Missing(state);
        _at++;
        state = State.ValueExpected;
        return null;
    }

    private string? ReadDelimiter(ref State state, byte closing, State following)
    {
        if (Next == closing)
        {
            Close(ref state);
            return null;
        }
        if (Next != ',') return Missing(state);
        _at++;
        state = following;
        return null;
    }

    private string? ReadValue(ref State state)
    {
        byte first = Next;
        switch (first)
        {
            case (byte)'{' or (byte)'[':
                Open(first == '{');
                state = first == '{' ? State.ObjectOpened : State.ListOpened;
                return null;
            case (byte)']' when state == State.ListOpened:
                Close(ref state);
                return null;
            case (byte)']' or (byte)'}' or (byte)',' or (byte)':':
                return Missing(state);
        }
        string? fault = first switch
        {
            (byte)'"' => ReadString(),
            (byte)'t' => ReadWord("true"u8),
            (byte)'f' => ReadWord("false"u8),
            (byte)'n' => ReadWord("null"u8),
            _ => ReadNumber(),
        };
        if (fault is null) state = state == State.Start ? State.Done : state == State.ValueExpected ? State.MemberRead : State.ElementRead;
        return fault;
    }

    private string? ReadWord(ReadOnlySpan<byte> word)
    {
        foreach (byte letter in word)
        {
            if (Next != letter) return JsonFaults.InvalidValue;
            _at++;
        }
        return null;
    }

    private string? ReadNumber()
    {
        int start = _at;
        if (Next == '-') _at++;
        if (Next is (byte)'N') return ReadWord("NaN"u8);
        if (Next is (byte)'I') return ReadWord("Inf"u8) ?? (Next == 'i' ? ReadWord("inity"u8) : null);
        if (Next is < (byte)'0' or > (byte)'9') return JsonFaults.InvalidValue;
        if (Next == '0') _at++;
        else SkipDigits();
        if (Next == '.')
        {
            _at++;
            if (!SkipDigits()) return JsonFaults.MissingFraction;
        }
        if (Next is (byte)'e' or (byte)'E')
        {
            _at++;
            if (Next is (byte)'+' or (byte)'-') _at++;
            if (!SkipDigits()) return JsonFaults.MissingExponent;
        }
        if (!double.IsInfinity(double.Parse(_text[start.._at], System.Globalization.CultureInfo.InvariantCulture))) return null;
        _at = start;
        return JsonFaults.NumberTooBig;
    }

    private bool SkipDigits()
    {
        int start = _at;
        while (Next is >= (byte)'0' and <= (byte)'9') _at++;
        return _at > start;
    }

    private string? ReadString()
    {
        _at++;
        while (true)
        {
            byte next = Next;
            if (next == '"')
            {
                _at++;
                return null;
            }
            if (next == '\\')
            {
                int start = _at;
                if (ReadEscape() is not { } fault) continue;
                _at = start;
                return fault;
            }
            if (next < 0x20) return next == 0 ? JsonFaults.MissingQuote : JsonFaults.InvalidEscape;
            _at++;
        }
    }

    private string? ReadEscape()
    {
        _at++;
        if (Next is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t')
        {
            _at++;
            return null;
        }
        if (Next != 'u') return JsonFaults.InvalidEscape;
        _at++;
        if (ReadUnit() is not { } unit) return JsonFaults.InvalidHex;
        if (!char.IsSurrogate(unit)) return null;
        if (char.IsLowSurrogate(unit) || Next != '\\') return JsonFaults.InvalidSurrogate;
        _at++;
        if (Next != 'u') return JsonFaults.InvalidSurrogate;
        _at++;
        return ReadUnit() is not { } low ? JsonFaults.InvalidHex : char.IsLowSurrogate(low) ? null : JsonFaults.InvalidSurrogate;
    }

    private char? ReadUnit()
    {
        int unit = 0;
        for (int i = 0; i < 4; i++)
        {
            if (!char.IsAsciiHexDigit((char)Next)) return null;
            unit = unit << 4 | (Next <= '9' ? Next - '0' : (Next | 0x20) - 'a' + 10);
            _at++;
        }
        return (char)unit;
    }

    private void Open(bool isObject)
    {
        _at++;
        if (_depth / 8 >= _objects.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(2 * _objects.Length);
            _objects.CopyTo(larger, 0);
            ArrayPool<byte>.Shared.Return(_objects);
            _objects = larger;
        }
        int bit = 1 << (_depth & 7);
        _objects[_depth / 8] = (byte)(isObject ? _objects[_depth / 8] | bit : _objects[_depth / 8] & ~bit);
        _depth++;
    }

    private void Close(ref State state)
    {
        _at++;
        _depth--;
        int outer = _depth - 1;
        state = _depth == 0 ? State.Done : (_objects[outer / 8] & 1 << (outer & 7)) != 0 ? State.MemberRead : State.ElementRead;
    }

    private static string Missing(State state) => state switch
    {
        State.Start => JsonFaults.DocumentEmpty,
        State.ObjectOpened or State.NameExpected => JsonFaults.MissingName,
        State.NameRead => JsonFaults.MissingColon,
        State.MemberRead => JsonFaults.MissingCommaInObject,
        State.ElementRead => JsonFaults.MissingCommaInList,
        _ => JsonFaults.InvalidValue,
    };
}
