using System.Text;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>Names that a template may call.</summary>
internal sealed class FunctionNames(IEnumerable<string> names)
{
    private readonly HashSet<string> _names = new(names, StringComparer.Ordinal);

    public bool Contains(string name) => _names.Contains(name);
}

/// <summary>Reads the inside of an action: declarations, commands, operands.</summary>
internal sealed class PipelineParser(TemplateTokens tokens, FunctionNames functions, TemplateParser parser)
{
    private readonly List<string> _variables = ["$"];
    private readonly Dictionary<string, int> _inScope = new(StringComparer.Ordinal) { ["$"] = 1 };

    /// <summary>How many variables are in scope; set back at the end of a scope.</summary>
    public int Variables
    {
        get => _variables.Count;
        set
        {
            for (int i = _variables.Count - 1; i >= value; i--) _inScope[_variables[i]]--;
            _variables.RemoveRange(value, _variables.Count - value);
        }
    }

    public PipeNode Pipeline(string context, TokenKind end)
    {
        var pipe = new PipeNode(tokens.PeekNonSpace().Position);
        Declarations(pipe, context);
        while (true)
        {
            TemplateToken token = tokens.NextNonSpace();
            if (token.Kind == end) return Checked(pipe, context);
            if (token.Kind is not (TokenKind.Bool or TokenKind.CharConstant or TokenKind.Complex or TokenKind.Dot or TokenKind.Field or TokenKind.Identifier
                or TokenKind.Number or TokenKind.Nil or TokenKind.RawString or TokenKind.String or TokenKind.Variable or TokenKind.LeftParen))
                throw tokens.Unexpected(token, context);
            tokens.Backup();
            pipe.Commands.Add(Command());
        }
    }

    private void Declarations(PipeNode pipe, string context)
    {
        while (tokens.PeekNonSpace() is { Kind: TokenKind.Variable } variable)
        {
            tokens.Next();
            // "$x foo" has to be told from "$x := foo", so the token right after the variable may have to be given back too.
            TemplateToken after = tokens.Peek(), next = tokens.PeekNonSpace();
            if (next.Kind is TokenKind.Assign or TokenKind.Declare)
            {
                pipe.IsAssignment = next.Kind == TokenKind.Assign;
                Declare(pipe, variable);
                return;
            }
            if (next.Kind != TokenKind.Char || next.Value != ",")
            {
                if (after.Kind == TokenKind.Space) tokens.Backup(variable, after);
                else tokens.Backup(variable);
                return;
            }
            Declare(pipe, variable);
            if (context != "range" || pipe.Declared.Count >= 2) throw tokens.Error($"too many declarations in {context}");
            if (tokens.PeekNonSpace().Kind is not (TokenKind.Variable or TokenKind.RightDelim or TokenKind.RightParen))
                throw tokens.Error("range can only initialize variables");
        }
    }

    private void Declare(PipeNode pipe, TemplateToken variable)
    {
        tokens.NextNonSpace();
        pipe.Declared.Add(new VariableNode(variable.Position, variable.Value));
        _variables.Add(variable.Value);
        _inScope[variable.Value] = _inScope.GetValueOrDefault(variable.Value) + 1;
    }

    // Only the first command can start with something that takes no argument.
    private PipeNode Checked(PipeNode pipe, string context)
    {
        if (pipe.Commands.Count == 0) throw tokens.Error($"missing value for {context}");
        for (int i = 1; i < pipe.Commands.Count; i++)
            if (pipe.Commands[i].Arguments[0] is BoolNode or DotNode or NilNode or NumberNode or StringNode)
                throw tokens.Error($"non executable command in pipeline stage {i + 1}");
        return pipe;
    }

    private CommandNode Command()
    {
        var command = new CommandNode(tokens.PeekNonSpace().Position);
        while (true)
        {
            tokens.PeekNonSpace();
            if (Operand() is { } operand) command.Arguments.Add(operand);
            TemplateToken token = tokens.Next();
            if (token.Kind == TokenKind.Space) continue;
            if (token.Kind is TokenKind.RightDelim or TokenKind.RightParen) tokens.Backup();
            else if (token.Kind != TokenKind.Pipe) throw tokens.Unexpected(token, "operand");
            return command.Arguments.Count == 0 ? throw tokens.Error("empty command") : command;
        }
    }

    private TemplateNode? Operand()
    {
        if (Term() is not { } node) return null;
        if (tokens.Peek().Kind != TokenKind.Field) return node;
        var chain = new ChainNode(tokens.Peek().Position, node);
        while (tokens.Peek().Kind == TokenKind.Field) chain.Fields.Add(tokens.Next().Value[1..]);
        return node switch
        {
            FieldNode => new FieldNode(chain.Position, chain.ToString()),
            VariableNode => new VariableNode(chain.Position, chain.ToString()),
            BoolNode or StringNode or NumberNode or NilNode or DotNode => throw tokens.Error($"unexpected . after term {GoQuote.Text(node.ToString()!)}"),
            _ => chain,
        };
    }

    private TemplateNode? Term()
    {
        TemplateToken token = tokens.NextNonSpace();
        switch (token.Kind)
        {
            case TokenKind.Identifier:
                return functions.Contains(token.Value)
                    ? new IdentifierNode(token.Position, token.Value)
                    : throw tokens.Error($"function {GoQuote.Text(token.Value)} not defined", ProtocolError.TemplateUnknown);
            case TokenKind.Dot: return new DotNode(token.Position);
            case TokenKind.Nil: return new NilNode(token.Position);
            case TokenKind.Bool: return new BoolNode(token.Position, token.Value == "true");
            case TokenKind.Field: return new FieldNode(token.Position, token.Value);
            case TokenKind.Variable:
                return _inScope.GetValueOrDefault(token.Value) > 0
                    ? new VariableNode(token.Position, token.Value)
                    : throw tokens.Error($"undefined variable {GoQuote.Text(token.Value)}");
            case TokenKind.CharConstant or TokenKind.Complex or TokenKind.Number: return Number(token);
            case TokenKind.LeftParen: return parser.Nested(() => Pipeline("parenthesized pipeline", TokenKind.RightParen));
            case TokenKind.String or TokenKind.RawString:
                return GoLiteral.Unquote(token.Bytes.Span) is { } text ? new StringNode(token.Position, token.Value, text) : throw tokens.Error("invalid syntax");
        }
        tokens.Backup();
        return null;
    }

    private NumberNode Number(TemplateToken token)
    {
        string source = Encoding.UTF8.GetString(token.Bytes.Span);
        if (token.Kind == TokenKind.CharConstant)
        {
            (int rune, string? wrong) = GoLiteral.Character(token.Bytes.Span);
            return wrong is null ? new NumberNode(token.Position, source, GoNumber.OfCharacter(rune)) : throw tokens.Error(wrong);
        }
        (GoNumber? number, string? error) = GoNumber.Read(source, token.Kind == TokenKind.Complex);
        return number is not null ? new NumberNode(token.Position, source, number) : throw tokens.Error(error!);
    }
}
