using System.Buffers;
using System.Collections.Immutable;

namespace Cloister.Partitioning.Reports;

/// <summary>Every range of a partition report (docs/formats/partition-report.md).</summary>
internal static class PartitionReportCheck
{
    private const int MostTensors = 32, LongestName = 512, LongestTool = 64, MostPictures = 10_000_000;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    /// <summary>What is wrong first, with the member's name; null if nothing is.</summary>
    public static string? Problem(PartitionReport report)
    {
        if (report.Version != PartitionReport.CurrentVersion) return $"version is {report.Version}; this program knows version {PartitionReport.CurrentVersion}.";
        if ((Digest("model", report.Model) ?? Digest("front", report.Front) ?? Digest("back", report.Back)) is { } bad) return bad;
        if (report.Tail is not null && Digest("tail", report.Tail) is { } badTail) return badTail;
        if ((Tensors("cut", report.Cut) ?? Tensors("tailCut", report.TailCut)) is { } names) return names;
        if (report.Cut.IsEmpty) return "cut names no tensor.";
        if (report.TailCut.IsEmpty != report.Tail is null) return "tail and tailCut go together: both are there, or null and empty.";
        if (Scores(report) is { } scores) return scores;
        if (report.FitPictures is < 0 or > MostPictures) return $"fitPictures is {report.FitPictures}, not 0 to {MostPictures}.";
        if (report.TestPictures is < 0 or > MostPictures) return $"testPictures is {report.TestPictures}, not 0 to {MostPictures}.";
        if (report.Assessment is not null && Digest("assessment", report.Assessment) is { } assessment) return assessment;
        if (report.Tool is not { Length: > 0 and <= LongestTool } || report.Tool.AsSpan().ContainsAnyExceptInRange(' ', '~')) return $"tool is not 1 to {LongestTool} printable ASCII characters.";
        if (report.Time.Offset != TimeSpan.Zero || report.Time.Ticks % TimeSpan.TicksPerSecond != 0) return "time is not in UTC and whole seconds.";
        return null;
    }

    private static string? Scores(PartitionReport report)
    {
        if (report.Protection is null || !Equals(report.Protection.KeyComparer, Comparer<string>.Default) && !Equals(report.Protection.KeyComparer, StringComparer.Ordinal)) return "protection is not sorted by ordinal names.";
        foreach ((string name, double score) in report.Protection)
        {
            if (!ProtectionScores.All.Contains(name)) return $"protection has a score that is none of {string.Join(", ", ProtectionScores.All)}.";
            if (!(score is >= 0 and <= 1) || double.IsNegative(score)) return $"protection's score '{name}' is not 0 to 1.";
        }
        return report.Protection.IsEmpty != report.Assessment is null ? "protection and assessment go together: scores without the assessment that they are from, or the other way." : null;
    }

    private static string? Tensors(string member, ImmutableArray<string> names)
    {
        if (names.IsDefault) return $"{member} is missing.";
        if (names.Length > MostTensors) return $"{member} has {names.Length} tensors; at most {MostTensors} are read.";
        if (names.Any(name => name is not { Length: > 0 and <= LongestName })) return $"{member} has a tensor whose name is not 1 to {LongestName} characters.";
        return names.Distinct(StringComparer.Ordinal).Count() != names.Length ? $"{member} names a tensor twice." : null;
    }

    private static string? Digest(string member, string? value) =>
        value is { Length: 64 } && !value.AsSpan().ContainsAnyExcept(Hex) ? null : $"{member} is not a SHA-256 of 64 lower-case hexadecimal digits.";
}
