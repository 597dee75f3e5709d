using Cloister.Protocol.Templates.Syntax;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>What went wrong while a template ran, in Go's form: <c>template: data:1:5: executing "data" at &lt;.Foo&gt;: ...</c>.</summary>
internal static class TemplateError
{
    // A node can be as long as the template; a message shows its beginning.
    private const int MaxShown = 400;

    public static ProtocolException At(ParsedTemplate template, string name, TemplateNode node, ProtocolError error, string reason)
    {
        string shown = node.ToString()!;
        if (shown.Length > MaxShown) shown = shown[..MaxShown] + "...";
        return new(error, $"template: {template.Location(node)}", $"executing {GoQuote.Text(name)} at <{shown}>: {reason}");
    }
}
