using Cloister.Protocol.Templates.Formatting;
using Cloister.Protocol.Templates.Values;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>print, println, printf, and what html, js and urlquery escape.</summary>
internal static class Texts
{
    private static readonly GoString s_noValue = GoString.Of("<no value>");

    public static TemplateValue Print(WorkBudget budget, TemplateValue?[] values) => Written(budget, values, sink => new GoPrinter(budget, sink).Print(values));

    public static TemplateValue PrintLine(WorkBudget budget, TemplateValue?[] values) => Written(budget, values, sink => new GoPrinter(budget, sink).PrintLine(values));

    public static TemplateValue PrintFormat(WorkBudget budget, TemplateValue?[] values) =>
        Written(budget, values, sink => GoPrintf.Print(budget, sink, ((GoString)values[0]!).Bytes.Span, values[1..]));

    /// <summary>One string as it is, anything else as print writes it, with "&lt;no value&gt;" for nil.</summary>
    public static TemplateValue Escape(WorkBudget budget, TemplateValue?[] values, Action<ByteSink, ReadOnlySpan<byte>> escape)
    {
        GoString text = values is [GoString one] ? one : (GoString)Print(budget, [.. values.Select(value => value ?? s_noValue)]);
        budget.Step(text.Bytes.Length / 16);
        return Written(budget, [text], sink => escape(sink, text.Bytes.Span));
    }

    private static GoString Written(WorkBudget budget, TemplateValue?[] values, Action<ByteSink> write)
    {
        var sink = new ByteSink(budget);
        write(sink);
        // A struct or a map holds secrets' values unless it is known to hold none; better too often than never.
        return new GoString(sink.Memory) { IsSecret = values.Any(value => value is { IsSecret: true } or GoStruct or GoMap) };
    }
}
