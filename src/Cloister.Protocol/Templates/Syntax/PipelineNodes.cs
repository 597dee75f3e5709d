using System.Text;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>Commands, each one's value being the last argument of the next; and the variables that take the result.</summary>
internal sealed class PipeNode(int position) : TemplateNode(position)
{
    public List<VariableNode> Declared { get; } = [];
    public bool IsAssignment { get; set; }
    public List<CommandNode> Commands { get; } = [];

    public override string ToString()
    {
        var text = new StringBuilder();
        if (Declared.Count > 0) text.AppendJoin(", ", Declared).Append(IsAssignment ? " = " : " := ");
        return text.AppendJoin(" | ", Commands).ToString();
    }
}

internal sealed class CommandNode(int position) : TemplateNode(position)
{
    public List<TemplateNode> Arguments { get; } = [];

    public override string ToString() => string.Join(' ', Arguments.Select(argument => argument is PipeNode ? $"({argument})" : argument.ToString()));
}

/// <summary>A function's name.</summary>
internal sealed class IdentifierNode(int position, string name) : TemplateNode(position)
{
    public string Name { get; } = name;

    public override string ToString() => Name;
}

/// <summary>$x, or $x.Field.Field.</summary>
internal sealed class VariableNode(int position, string source) : TemplateNode(position)
{
    public string Name { get; } = source.Split('.')[0];
    public string[] Fields { get; } = source.Split('.')[1..];

    public override string ToString() => Fields.Length == 0 ? Name : $"{Name}.{string.Join('.', Fields)}";
}

/// <summary>.Field.Field.</summary>
internal sealed class FieldNode(int position, string source) : TemplateNode(position)
{
    public string[] Fields { get; } = source[1..].Split('.');

    public override string ToString() => "." + string.Join('.', Fields);
}

/// <summary>(pipeline).Field.Field, or function.Field.</summary>
internal sealed class ChainNode(int position, TemplateNode node) : TemplateNode(position)
{
    public TemplateNode Node { get; } = node;
    public List<string> Fields { get; } = [];

    public override string ToString() => (Node is PipeNode ? $"({Node})" : Node.ToString()) + string.Concat(Fields.Select(field => "." + field));
}

internal sealed class DotNode(int position) : TemplateNode(position)
{
    public override string ToString() => ".";
}

internal sealed class NilNode(int position) : TemplateNode(position)
{
    public override string ToString() => "nil";
}

internal sealed class BoolNode(int position, bool value) : TemplateNode(position)
{
    public bool Value { get; } = value;

    public override string ToString() => Value ? "true" : "false";
}

internal sealed class NumberNode(int position, string source, GoNumber number) : TemplateNode(position)
{
    public string Source { get; } = source;
    public GoNumber Number { get; } = number;

    public override string ToString() => Source;
}

internal sealed class StringNode(int position, string source, byte[] text) : TemplateNode(position)
{
    public byte[] Text { get; } = text;

    public override string ToString() => source;
}
