namespace Cloister.Protocol.Templates.Syntax;

/// <summary>Tokens with the look-ahead of Go's parser, which its messages' line numbers depend on.</summary>
internal sealed class TemplateTokens(TemplateLexer lexer)
{
    private readonly TemplateToken[] _tokens = new TemplateToken[3];
    private int _pending;

    /// <summary>Line of the action being read; 0 outside.</summary>
    public int ActionLine { get; set; }

    /// <summary>Line that messages name.</summary>
    public int Line => _tokens[0].Line;

    public TemplateToken Next()
    {
        if (_pending > 0) _pending--;
        else _tokens[0] = lexer.Next();
        return _tokens[_pending];
    }

    public TemplateToken Peek()
    {
        if (_pending > 0) return _tokens[_pending - 1];
        _pending = 1;
        return _tokens[0] = lexer.Next();
    }

    public TemplateToken NextNonSpace()
    {
        TemplateToken token;
        do token = Next();
        while (token.Kind == TokenKind.Space);
        return token;
    }

    public TemplateToken PeekNonSpace()
    {
        TemplateToken token = NextNonSpace();
        Backup();
        return token;
    }

    public void Backup() => _pending++;

    /// <summary>Backs up over the last token and, before it, this one.</summary>
    public void Backup(TemplateToken first)
    {
        _tokens[1] = first;
        _pending = 2;
    }

    /// <summary>Backs up over the last token and, before it, these two.</summary>
    public void Backup(TemplateToken first, TemplateToken second)
    {
        (_tokens[1], _tokens[2]) = (second, first);
        _pending = 3;
    }

    public TemplateToken Expect(TokenKind kind, string context)
    {
        TemplateToken token = NextNonSpace();
        return token.Kind == kind ? token : throw Unexpected(token, context);
    }

    public ProtocolException Unexpected(TemplateToken token, string context)
    {
        if (token.Kind != TokenKind.Error) return Error($"unexpected {token.Shown} in {context}");
        string started = ActionLine == 0 || ActionLine == token.Line ? "" : $" started at {ParsedTemplate.MainName}:{ActionLine}";
        return Error(token.Message + (started.Length == 0 || token.Message.EndsWith(" action", StringComparison.Ordinal) ? started : " in action" + started));
    }

    public ProtocolException Error(string reason, ProtocolError error = ProtocolError.TemplateSyntax) =>
        new(error, $"template: {ParsedTemplate.MainName}:{Line}", reason);
}
