using System.Collections.Immutable;

namespace Cloister.Partitioning.Reports;

/// <summary>What a reader of an assessment's report relies on.</summary>
internal static class AssessmentReportCheck
{
    private const int MostCuts = 1_000, MostFindings = 64;

    /// <summary>What is wrong first; null if nothing is.</summary>
    public static string? Problem(AssessmentReport report)
    {
        if (report.Version != AssessmentReport.CurrentVersion) return $"version is {report.Version}; this program knows version {AssessmentReport.CurrentVersion}.";
        if (Incomplete(report.Cuts) || Incomplete(report.Tails) || Incomplete(report.Notices) || report.Model.InputShape.IsDefault) return "a list is missing, or has a hole.";
        if (Incomplete(report.Recommendation.Cut) || Incomplete(report.Recommendation.Tail) || Incomplete(report.Recommendation.Words)) return "a list of the recommendation is missing, or has a hole.";
        if (report.Cuts.Length > MostCuts || report.Tails.Length > MostCuts) return $"it has more than {MostCuts} cuts.";
        if (report.Pictures.Fit < 0 || report.Pictures.Test < 0 || report.Members is { Fit: < 0 } or { Test: < 0 }) return "a number of pictures is negative.";
        return report.Cuts.Select(Of).FirstOrDefault(problem => problem is not null)
            ?? report.Tails.Select(Of).FirstOrDefault(problem => problem is not null)
            ?? Of(report.Calibration);
    }

    /// <summary>The same of one finding.</summary>
    public static string? Of(Finding finding) =>
        Incomplete(finding.Measures) || Incomplete(finding.Notes) ? "a list of a finding is missing, or has a hole." : Scores(finding.Protection);

    private static string? Of(AssessedCut cut)
    {
        if (Incomplete(cut.Tensors) || cut.Tensors.IsEmpty || cut.Shapes.IsDefault || cut.Shapes.Any(shape => shape.IsDefault)) return "a cut has no tensors, or no shapes.";
        if (Incomplete(cut.Findings) || cut.Findings.Length > MostFindings) return "a cut has no findings, or too many.";
        if (Incomplete(cut.Tails) || cut.Tails.Length > MostCuts || cut.Tails.Any(tail => Incomplete(tail.Tensors) || tail.Tensors.IsEmpty || Incomplete(tail.Findings) || tail.Findings.Length > MostFindings)) return "a cut's tails are missing, have a hole, or are too many.";
        if (!Enum.IsDefined(cut.Verdict)) return "a cut's verdict is unknown.";
        return Share(cut.MacShareInside) ?? Scores(cut.Protection) ?? cut.Findings.Concat(cut.Tails.SelectMany(tail => tail.Findings)).Select(Of).FirstOrDefault(problem => problem is not null);
    }

    private static string? Of(AssessedTail tail) => Incomplete(tail.Tensors) ? "a tail's tensors are missing." : Share(tail.MacShareInside) ?? Of(tail.Labels);

    private static string? Share(double share) => share is >= 0 and <= 1 ? null : "a share is not 0 to 1.";

    private static string? Scores(ImmutableSortedDictionary<string, double> scores) =>
        scores.Any(score => !ProtectionScores.All.Contains(score.Key) || !(score.Value is >= 0 and <= 1)) ? $"a score is not 0 to 1, or its name none of {string.Join(", ", ProtectionScores.All)}." : null;

    private static bool Incomplete<T>(ImmutableArray<T> list) where T : class => list.IsDefault || list.Any(item => item is null);
}
