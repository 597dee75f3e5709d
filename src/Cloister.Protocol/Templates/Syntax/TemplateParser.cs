namespace Cloister.Protocol.Templates.Syntax;

/// <summary>
/// Reads a template's structure: text, actions, if / with / range with their else, define, block, template, break, continue.
/// Refuses what Go's text/template refuses, with its words and its line. Each definition is read by a parser of its own.
/// </summary>
internal sealed class TemplateParser
{
    private readonly TemplateTokens _tokens;
    private readonly Dictionary<string, ListNode> _trees;
    private readonly PipelineParser _pipelines;
    private int _ranges, _depth;
    private string _name;

    private TemplateParser(string name, TemplateLexer lexer, FunctionNames functions, Dictionary<string, ListNode> trees, int depth)
    {
        (_name, _trees, _depth) = (name, trees, depth);
        _tokens = new TemplateTokens(lexer);
        _pipelines = new PipelineParser(_tokens, functions, this);
        Functions = functions;
        Lexer = lexer;
    }

    private FunctionNames Functions { get; }

    private TemplateLexer Lexer { get; }

    /// <exception cref="ProtocolException">It cannot be read.</exception>
    public static ParsedTemplate Parse(ReadOnlyMemory<byte> text, FunctionNames functions)
    {
        var trees = new Dictionary<string, ListNode>(StringComparer.Ordinal);
        new TemplateParser(ParsedTemplate.MainName, new TemplateLexer(text), functions, trees, 0).ParseMain();
        return new(text, trees);
    }

    /// <summary>Runs one level deeper.</summary>
    public T Nested<T>(Func<T> parse)
    {
        if (++_depth > Template.MaxNesting)
            throw new ProtocolException(ProtocolError.TemplateTooDeep, $"template: {ParsedTemplate.MainName}:{_tokens.Line}", $"nests deeper than {Template.MaxNesting}");
        T parsed = parse();
        _depth--;
        return parsed;
    }

    private void ParseMain()
    {
        var nodes = new List<TemplateNode>();
        while (_tokens.Peek().Kind != TokenKind.End)
        {
            if (_tokens.Peek().Kind == TokenKind.LeftDelim)
            {
                TemplateToken delim = _tokens.Next();
                if (_tokens.NextNonSpace().Kind == TokenKind.Define)
                {
                    new TemplateParser("definition", Lexer, Functions, _trees, _depth).ParseDefinition();
                    continue;
                }
                _tokens.Backup(delim);
            }
            TemplateNode node = TextOrAction();
            if (node is ClosingNode) throw _tokens.Error($"unexpected {node}");
            nodes.Add(node);
        }
        Add(new ListNode(0, nodes));
    }

    private void ParseDefinition()
    {
        const string Context = "define clause";
        TemplateToken name = _tokens.NextNonSpace();
        if (name.Kind is not (TokenKind.String or TokenKind.RawString)) throw _tokens.Unexpected(name, Context);
        _name = Unquoted(name);
        _tokens.Expect(TokenKind.RightDelim, Context);
        ParseBody(Context);
    }

    private void ParseBody(string context)
    {
        (ListNode body, ClosingNode end) = ItemList();
        if (!end.IsEnd) throw _tokens.Error($"unexpected {end} in {context}");
        Add(body);
    }

    // A second definition may only fill one that was blank, and a blank one never replaces.
    private void Add(ListNode body)
    {
        if (!_trees.TryGetValue(_name, out ListNode? before) || before.IsBlank) _trees[_name] = body;
        else if (!body.IsBlank) throw _tokens.Error($"template: multiple definition of template {GoQuote.Text(_name)}");
    }

    private (ListNode List, ClosingNode End) ItemList()
    {
        int position = _tokens.PeekNonSpace().Position;
        var nodes = new List<TemplateNode>();
        while (_tokens.PeekNonSpace().Kind != TokenKind.End)
        {
            TemplateNode node = TextOrAction();
            if (node is ClosingNode end) return (new ListNode(position, nodes), end);
            nodes.Add(node);
        }
        throw _tokens.Error("unexpected EOF");
    }

    private TemplateNode TextOrAction()
    {
        TemplateToken token = _tokens.NextNonSpace();
        switch (token.Kind)
        {
            case TokenKind.Text: return new TextNode(token.Position, token.Bytes);
            case TokenKind.LeftDelim:
                _tokens.ActionLine = token.Line;
                TemplateNode action = Action();
                _tokens.ActionLine = 0;
                return action;
            default: throw _tokens.Unexpected(token, "input");
        }
    }

    private TemplateNode Action()
    {
        TemplateToken token = _tokens.NextNonSpace();
        switch (token.Kind)
        {
            case TokenKind.Block: return Block();
            case TokenKind.Break or TokenKind.Continue: return Jump(token);
            case TokenKind.Else: return Else();
            case TokenKind.EndKeyword: return new ClosingNode(_tokens.Expect(TokenKind.RightDelim, "end").Position, isEnd: true);
            case TokenKind.If: return Nested(() => Control(BranchKind.If));
            case TokenKind.Range: return Nested(() => Control(BranchKind.Range));
            case TokenKind.With: return Nested(() => Control(BranchKind.With));
            case TokenKind.Template: return Call();
        }
        _tokens.Backup();
        return new ActionNode(_tokens.Peek().Position, _pipelines.Pipeline("command", TokenKind.RightDelim));
    }

    private JumpNode Jump(TemplateToken token)
    {
        string name = token.Kind == TokenKind.Break ? "{{break}}" : "{{continue}}";
        TemplateToken after = _tokens.NextNonSpace();
        if (after.Kind != TokenKind.RightDelim) throw _tokens.Unexpected(after, name);
        return _ranges == 0 ? throw _tokens.Error($"{name} outside {{{{range}}}}") : new JumpNode(token.Position, token.Kind == TokenKind.Break);
    }

    // "else if" and "else with" leave their keyword to be read by whoever can take it.
    private ClosingNode Else()
    {
        TemplateToken next = _tokens.PeekNonSpace();
        return next.Kind is TokenKind.If or TokenKind.With
            ? new ClosingNode(next.Position, isEnd: false)
            : new ClosingNode(_tokens.Expect(TokenKind.RightDelim, "else").Position, isEnd: false);
    }

    private BranchNode Control(BranchKind kind)
    {
        int variables = _pipelines.Variables;
        string context = kind switch { BranchKind.If => "if", BranchKind.With => "with", _ => "range" };
        PipeNode pipe = _pipelines.Pipeline(context, TokenKind.RightDelim);
        if (kind == BranchKind.Range) _ranges++;
        (ListNode list, ClosingNode next) = ItemList();
        if (kind == BranchKind.Range) _ranges--;
        ListNode? elseList = next.IsEnd ? null : ElseList(kind, next);
        _pipelines.Variables = variables;
        return new BranchNode(pipe.Position, kind, pipe, list, elseList);
    }

    // {{if a}}_{{else if b}}_{{end}} is {{if a}}_{{else}}{{if b}}_{{end}}{{end}} with one end left out; so is with.
    private ListNode ElseList(BranchKind kind, ClosingNode opening)
    {
        TokenKind chained = kind switch { BranchKind.If => TokenKind.If, BranchKind.With => TokenKind.With, _ => TokenKind.Error };
        if (_tokens.Peek().Kind == chained && chained != TokenKind.Error)
        {
            _tokens.Next();
            return new ListNode(opening.Position, [Nested(() => Control(kind))]);
        }
        (ListNode list, ClosingNode end) = ItemList();
        return end.IsEnd ? list : throw _tokens.Error($"expected end; found {end}");
    }

    private TemplateCallNode Block()
    {
        const string Context = "block clause";
        TemplateToken token = _tokens.NextNonSpace();
        string name = TemplateName(token, Context);
        PipeNode pipe = _pipelines.Pipeline(Context, TokenKind.RightDelim);
        return Nested(() =>
        {
            new TemplateParser(name, Lexer, Functions, _trees, _depth).ParseBody(Context);
            return new TemplateCallNode(token.Position, name, pipe);
        });
    }

    private TemplateCallNode Call()
    {
        const string Context = "template clause";
        TemplateToken token = _tokens.NextNonSpace();
        string name = TemplateName(token, Context);
        PipeNode? pipe = null;
        if (_tokens.NextNonSpace().Kind != TokenKind.RightDelim)
        {
            _tokens.Backup();
            pipe = _pipelines.Pipeline(Context, TokenKind.RightDelim);
        }
        return new TemplateCallNode(token.Position, name, pipe);
    }

    private string TemplateName(TemplateToken token, string context) =>
        token.Kind is TokenKind.String or TokenKind.RawString ? Unquoted(token) : throw _tokens.Unexpected(token, context);

    private string Unquoted(TemplateToken token) =>
        GoLiteral.Unquote(token.Bytes.Span) is { } text ? System.Text.Encoding.UTF8.GetString(text) : throw _tokens.Error("invalid syntax");
}
