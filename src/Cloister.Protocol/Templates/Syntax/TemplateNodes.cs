using System.Text;

namespace Cloister.Protocol.Templates.Syntax;

/// <summary>A piece of a parsed template. <see cref="object.ToString"/> writes it as Go does in messages.</summary>
internal abstract class TemplateNode(int position)
{
    /// <summary>Offset in the template that messages point to.</summary>
    public int Position { get; } = position;
}

internal sealed class TextNode(int position, ReadOnlyMemory<byte> text) : TemplateNode(position)
{
    public ReadOnlyMemory<byte> Text { get; } = text;

    public override string ToString() => Encoding.UTF8.GetString(Text.Span);
}

internal sealed class ListNode(int position, IReadOnlyList<TemplateNode> nodes) : TemplateNode(position)
{
    public IReadOnlyList<TemplateNode> Nodes { get; } = nodes;

    /// <summary>Whether there is nothing but white space in it.</summary>
    public bool IsBlank => Nodes.All(node => node is TextNode text && text.Text.Span.TrimStart(" \t\r\n\v\f"u8).IsEmpty);

    public override string ToString() => string.Concat(Nodes);
}

internal sealed class ActionNode(int position, PipeNode pipe) : TemplateNode(position)
{
    public PipeNode Pipe { get; } = pipe;

    public override string ToString() => $"{{{{{Pipe}}}}}";
}

internal enum BranchKind { If, With, Range }

/// <summary>if, with or range.</summary>
internal sealed class BranchNode(int position, BranchKind kind, PipeNode pipe, ListNode list, ListNode? elseList) : TemplateNode(position)
{
    public BranchKind Kind { get; } = kind;
    public PipeNode Pipe { get; } = pipe;
    public ListNode List { get; } = list;
    public ListNode? ElseList { get; } = elseList;

    public override string ToString()
    {
        string name = Kind switch { BranchKind.If => "if", BranchKind.With => "with", _ => "range" };
        return $"{{{{{name} {Pipe}}}}}{List}{(ElseList is null ? "" : $"{{{{else}}}}{ElseList}")}{{{{end}}}}";
    }
}

internal sealed class TemplateCallNode(int position, string name, PipeNode? pipe) : TemplateNode(position)
{
    public string Name { get; } = name;
    public PipeNode? Pipe { get; } = pipe;

    public override string ToString() => $"{{{{template {GoQuote.Text(Name)}{(Pipe is null ? "" : $" {Pipe}")}}}}}";
}

/// <summary>break or continue.</summary>
internal sealed class JumpNode(int position, bool isBreak) : TemplateNode(position)
{
    public bool IsBreak { get; } = isBreak;

    public override string ToString() => IsBreak ? "{{break}}" : "{{continue}}";
}

/// <summary>end, else, "else if" or "else with": only the parser sees them.</summary>
internal sealed class ClosingNode(int position, bool isEnd) : TemplateNode(position)
{
    public bool IsEnd { get; } = isEnd;

    public override string ToString() => IsEnd ? "{{end}}" : "{{else}}";
}
