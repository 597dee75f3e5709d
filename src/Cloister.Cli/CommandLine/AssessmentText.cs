using System.Globalization;
using System.Text;
using Cloister.Partitioning.Reports;

namespace Cloister.Cli.CommandLine;

/// <summary>An assessment as a table for a terminal.</summary>
internal static class AssessmentText
{
    public static string Of(AssessmentReport report)
    {
        var text = new StringBuilder();
        int name = Math.Clamp(report.Cuts.Max(cut => Name(cut.Tensors).Length), 10, 48);
        text.AppendLine(CultureInfo.InvariantCulture, $"{"cut after".PadRight(name)}  inside   crosses  found                 verdict");
        foreach (AssessedCut cut in report.Cuts)
        {
            string found = (cut["inversion"]?["reidentification"] ?? cut["tokens"]?["tokens"]) is { } measure
                ? string.Create(CultureInfo.InvariantCulture, $"{measure.Value.Estimate,5:0 %} ({measure.Value.Lower:0 %} to {measure.Value.Upper:0 %})")
                : "";
            text.AppendLine(CultureInfo.InvariantCulture, $"{Name(cut.Tensors).PadRight(name)}  {cut.MacShareInside,6:0.0 %}  {cut.BoundaryBytes / 1024.0,7:0.0}K  {found,-20}  {cut.Words}");
            if (cut["heuristic"] is { NotRun: null } heuristic) text.AppendLine(CultureInfo.InvariantCulture, $"{"".PadRight(name)}  the literature's heuristic {heuristic.Notes[0]}");
            if (cut["membership"] is { } members) text.AppendLine(CultureInfo.InvariantCulture, $"{"".PadRight(name)}  {members.NotRun ?? members.Notes[0]}");
        }
        foreach (AssessedTail tail in report.Tails)
            text.AppendLine(CultureInfo.InvariantCulture, $"classes, outside up to {(tail.Tensors.IsEmpty ? "the answer" : Name(tail.Tensors))}: {(tail.Labels.NotRun ?? tail.Labels.Notes.FirstOrDefault())}");
        return Plain(text.ToString());
    }

    /// <summary>Text with names in it, which are the model's: nothing of them may steer the terminal.</summary>
    public static string Plain(string text) =>
        string.Concat(text.Select(letter => letter != '\n' && (char.IsControl(letter) || char.GetUnicodeCategory(letter) == UnicodeCategory.Format) ? '\uFFFD' : letter));

    private static string Name(IEnumerable<string> tensors)
    {
        string name = string.Join(", ", tensors);
        return name.Length <= 48 ? name : name[..22] + "..." + name[^23..];
    }
}
