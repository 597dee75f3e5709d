namespace Cloister.Protocol.Templates.Syntax;

/// <summary>A template with the templates that it defines.</summary>
/// <param name="Text">As it was read; nodes point into it.</param>
/// <param name="Trees">Bodies by name; the template itself is <see cref="MainName"/>.</param>
internal sealed record ParsedTemplate(ReadOnlyMemory<byte> Text, IReadOnlyDictionary<string, ListNode> Trees)
{
    /// <summary>The name MarbleRun gives every template, which stands in messages.</summary>
    public const string MainName = "data";

    public ListNode Main => Trees[MainName];

    /// <summary>Where a node stands: Go's "data:line:column", the line from 1 and the column, in bytes, from 0 on every line.</summary>
    public string Location(TemplateNode node)
    {
        ReadOnlySpan<byte> before = Text.Span[..node.Position];
        return $"{MainName}:{1 + before.Count((byte)'\n')}:{node.Position - before.LastIndexOf((byte)'\n') - 1}";
    }
}
