namespace Cloister.Protocol.Templates.Syntax;

/// <summary>Cuts a template into tokens, with the rules of Go's text/template: delimiters, trim markers, comments, literals.</summary>
internal sealed class TemplateLexer(ReadOnlyMemory<byte> text)
{
    private const int EndOfText = -1;

    private int _at, _start, _line = 1, _startLine = 1, _parens;
    private bool _inAction, _failed;

    private ReadOnlySpan<byte> Rest => text.Span[_at..];

    /// <summary>The next token. After the end or an error it repeats the end.</summary>
    public TemplateToken Next()
    {
        while (true)
        {
            if (_failed) return new(TokenKind.End, _at, default, _line, "");
            if ((_inAction ? InAction() : InText()) is { } token) return token;
        }
    }

    private TemplateToken? InText()
    {
        int open = Rest.IndexOf("{{"u8);
        int end = open < 0 ? text.Length : _at + open;
        int trimmed = end;
        if (open >= 0 && HasLeftTrim(text.Span[(end + 2)..]))
            trimmed = _start + text.Span[_start..end].TrimEnd(" \t\r\n"u8).Length;
        if (trimmed > _start)
        {
            _at = trimmed;
            return Emit(TokenKind.Text);
        }
        _at = end;
        Skip();
        if (open < 0)
        {
            _failed = true;
            return Emit(TokenKind.End);
        }
        return LeftDelim();
    }

    private TemplateToken? LeftDelim()
    {
        bool trim = HasLeftTrim(text.Span[(_at + 2)..]);
        ReadOnlySpan<byte> inside = text.Span[(_at + (trim ? 4 : 2))..];
        // Go looks for the comment right after the marker's two bytes: "{{- /*".
        if (inside.StartsWith("/*"u8)) return Comment(trim);
        _at += 2;
        TemplateToken token = Emit(TokenKind.LeftDelim);
        if (trim) _at += 2;
        Skip();
        (_inAction, _parens) = (true, 0);
        return token;
    }

    private TemplateToken? Comment(bool trim)
    {
        _at += trim ? 4 : 2;
        Skip();
        _at += 2;
        int close = Rest.IndexOf("*/"u8);
        if (close < 0) return Error("unclosed comment");
        _at += close + 2;
        if (!AtRightDelim(out bool trimAfter)) return Error("comment ends before closing delimiter");
        PassRightDelim(trimAfter);
        return null;
    }

    private TemplateToken? InAction()
    {
        if (AtRightDelim(out bool trim)) return _parens == 0 ? RightDelim(trim) : Error("unclosed left paren");
        int rune = Advance();
        switch (rune)
        {
            case EndOfText: return Error("unclosed action");
            case ' ' or '\t' or '\r' or '\n': return Space();
            case '=': return Emit(TokenKind.Assign);
            case ':': return Advance() == '=' ? Emit(TokenKind.Declare) : Error("expected :=");
            case '|': return Emit(TokenKind.Pipe);
            case '"': return Quoted('"', TokenKind.String, "unterminated quoted string");
            case '\'': return Quoted('\'', TokenKind.CharConstant, "unterminated character constant");
            case '`': return RawQuoted();
            case '$': return AtTerminator() ? Emit(TokenKind.Variable) : Word(TokenKind.Variable);
            case '.' when !Rest.IsEmpty && Rest[0] is < (byte)'0' or > (byte)'9':
                return AtTerminator() ? Emit(TokenKind.Dot) : Word(TokenKind.Field);
            case '.' or '+' or '-' or (>= '0' and <= '9'):
                _at = _start;
                return Number();
            case '(':
                _parens++;
                return Emit(TokenKind.LeftParen);
            case ')':
                return --_parens < 0 ? Error("unexpected right paren") : Emit(TokenKind.RightParen);
        }
        if (GoUtf8.IsLetterOrDigit(rune)) return Word(TokenKind.Identifier);
        return rune < 0x80 && GoUtf8.IsPrint(rune) ? Emit(TokenKind.Char) : Error($"unrecognized character in action: {GoUtf8.Shown(rune)}");
    }

    private TemplateToken RightDelim(bool trim)
    {
        if (trim)
        {
            _at += 2;
            Skip();
        }
        _at += 2;
        TemplateToken token = Emit(TokenKind.RightDelim);
        _inAction = false;
        if (trim) TrimAfter();
        return token;
    }

    private void PassRightDelim(bool trim)
    {
        _at += trim ? 4 : 2;
        Skip();
        _inAction = false;
        if (trim) TrimAfter();
    }

    private void TrimAfter()
    {
        _at += Rest.Length - Rest.TrimStart(" \t\r\n"u8).Length;
        Skip();
    }

    // The last space of a run belongs to the closing trim marker, if one follows.
    private TemplateToken? Space()
    {
        while (!Rest.IsEmpty && GoUtf8.IsSpace(Rest[0])) _at++;
        if (Rest.StartsWith("-}}"u8))
        {
            _at--;
            if (_at == _start) return RightDelim(trim: true);
        }
        return Emit(TokenKind.Space);
    }

    private TemplateToken Word(TokenKind kind)
    {
        while (GoUtf8.IsLetterOrDigit(Peek())) Advance();
        if (!AtTerminator()) return Error($"bad character {GoUtf8.Shown(Peek())}");
        return Emit(kind == TokenKind.Identifier ? Keyword() : kind);
    }

    private TokenKind Keyword()
    {
        ReadOnlySpan<byte> word = text.Span[_start.._at];
        return word switch
        {
            _ when word.SequenceEqual("block"u8) => TokenKind.Block,
            _ when word.SequenceEqual("break"u8) => TokenKind.Break,
            _ when word.SequenceEqual("continue"u8) => TokenKind.Continue,
            _ when word.SequenceEqual("define"u8) => TokenKind.Define,
            _ when word.SequenceEqual("else"u8) => TokenKind.Else,
            _ when word.SequenceEqual("end"u8) => TokenKind.EndKeyword,
            _ when word.SequenceEqual("if"u8) => TokenKind.If,
            _ when word.SequenceEqual("range"u8) => TokenKind.Range,
            _ when word.SequenceEqual("nil"u8) => TokenKind.Nil,
            _ when word.SequenceEqual("template"u8) => TokenKind.Template,
            _ when word.SequenceEqual("with"u8) => TokenKind.With,
            _ when word.SequenceEqual("true"u8) || word.SequenceEqual("false"u8) => TokenKind.Bool,
            _ => TokenKind.Identifier,
        };
    }

    private TemplateToken Quoted(char quote, TokenKind kind, string unterminated)
    {
        while (true)
        {
            int rune = Advance();
            if (rune == '\\') rune = Advance() is EndOfText or '\n' ? EndOfText : ' ';
            if (rune is EndOfText or '\n') return Error(unterminated);
            if (rune == quote) return Emit(kind);
        }
    }

    private TemplateToken RawQuoted()
    {
        int close = Rest.IndexOf((byte)'`');
        if (close < 0)
        {
            _at = text.Length;
            return Error("unterminated raw quoted string");
        }
        _at += close + 1;
        return Emit(TokenKind.RawString);
    }

    // Not a perfect scanner, as Go's is none: what it lets through wrongly, the reading of the number refuses.
    private TemplateToken Number()
    {
        if (!ScanNumber()) return Error($"bad number syntax: {GoQuote.Text(System.Text.Encoding.UTF8.GetString(text.Span[_start.._at]))}");
        if (Peek() is not ('+' or '-')) return Emit(TokenKind.Number);
        return ScanNumber() && text.Span[_at - 1] == 'i'
            ? Emit(TokenKind.Complex)
            : Error($"bad number syntax: {GoQuote.Text(System.Text.Encoding.UTF8.GetString(text.Span[_start.._at]))}");
    }

    private bool ScanNumber()
    {
        Accept("+-"u8);
        ReadOnlySpan<byte> digits = "0123456789_"u8;
        bool isPrefixed = false, isHex = false;
        if (Accept("0"u8))
        {
            isHex = Accept("xX"u8);
            bool isOctal = !isHex && Accept("oO"u8), isBinary = !isHex && !isOctal && Accept("bB"u8);
            isPrefixed = isHex || isOctal || isBinary;
            if (isPrefixed) digits = isHex ? "0123456789abcdefABCDEF_"u8 : isOctal ? "01234567_"u8 : "01_"u8;
        }
        AcceptRun(digits);
        if (Accept("."u8)) AcceptRun(digits);
        if ((!isPrefixed && Accept("eE"u8)) || (isHex && Accept("pP"u8)))
        {
            Accept("+-"u8);
            AcceptRun("0123456789_"u8);
        }
        Accept("i"u8);
        if (!GoUtf8.IsLetterOrDigit(Peek())) return true;
        Advance();
        return false;
    }

    private bool Accept(ReadOnlySpan<byte> valid)
    {
        if (Rest.IsEmpty || !valid.Contains(Rest[0])) return false;
        _at++;
        return true;
    }

    private void AcceptRun(ReadOnlySpan<byte> valid)
    {
        while (Accept(valid)) { }
    }

    private bool AtTerminator() => Peek() switch
    {
        EndOfText or ' ' or '\t' or '\r' or '\n' or '.' or ',' or '|' or ':' or ')' or '(' => true,
        _ => Rest.StartsWith("}}"u8),
    };

    private bool AtRightDelim(out bool trim)
    {
        ReadOnlySpan<byte> rest = Rest;
        trim = rest.Length >= 4 && GoUtf8.IsSpace(rest[0]) && rest[1..].StartsWith("-}}"u8);
        return trim || rest.StartsWith("}}"u8);
    }

    private static bool HasLeftTrim(ReadOnlySpan<byte> inside) => inside.Length >= 2 && inside[0] == '-' && GoUtf8.IsSpace(inside[1]);

    private int Peek() => Rest.IsEmpty ? EndOfText : GoUtf8.Decode(Rest).Rune;

    private int Advance()
    {
        if (Rest.IsEmpty) return EndOfText;
        (int rune, int width) = GoUtf8.Decode(Rest);
        _at += width;
        return rune;
    }

    private TemplateToken Emit(TokenKind kind)
    {
        var token = new TemplateToken(kind, _start, text[_start.._at], _startLine, "");
        Skip();
        return token;
    }

    private void Skip()
    {
        _line += text.Span[_start.._at].Count((byte)'\n');
        (_start, _startLine) = (_at, _line);
    }

    private TemplateToken Error(string message)
    {
        _failed = true;
        return new(TokenKind.Error, _start, default, _startLine, message);
    }
}
