using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Tests.Reports;

namespace Cloister.Partitioning.Tests.Assessment;

public sealed class MeasuredScoresTests
{
    private static readonly ModelProto Model = TinyNet.Model().Proto;
    private static readonly string Digest = TinyNet.Model().Digest;

    [Fact]
    public void Scores_are_those_of_the_cut_and_of_what_is_computed_outside()
    {
        AssessmentReport report = Report((TinyNet.First, 0.9), (TinyNet.Second, 0.5), (TinyNet.Pooled, 0.1));
        Assert.Equal(0.1, MeasuredScores.Of(report, Model, Digest, [TinyNet.First], [])[ProtectionScores.Pictures]);
        Assert.Equal(0.5, MeasuredScores.Of(report, Model, Digest, [TinyNet.First], [TinyNet.Second])[ProtectionScores.Pictures]);
        Assert.Equal(0.7, MeasuredScores.Of(report, Model, Digest, [TinyNet.First], [TinyNet.Second])[ProtectionScores.Labels]);
        Assert.Equal(0.2, MeasuredScores.Of(report, Model, Digest, [TinyNet.First], [])[ProtectionScores.Labels]);
    }

    [Fact]
    public void Classes_that_are_told_on_the_way_are_told_at_the_end()
    {
        AssessmentReport report = Report((TinyNet.First, 0.9));
        report = report with { Tails = [report.Tails[0] with { Labels = report.Tails[0].Labels with { Protection = report.Tails[0].Labels.Protection.SetItem(ProtectionScores.Labels, 0.95) } }, report.Tails[1]] };
        Assert.Equal(0.7, MeasuredScores.Of(report, Model, Digest, [TinyNet.First], [])[ProtectionScores.Labels]);
    }

    [Fact]
    public void Without_a_public_model_nothing_is_said_of_labels()
    {
        AssessmentReport report = Report((TinyNet.First, 0.9)) with { Tails = [] };
        Assert.Equal([ProtectionScores.Pictures], MeasuredScores.Of(report, Model, Digest, [TinyNet.First], [TinyNet.Second]).Keys);
    }

    [Fact]
    public void An_assessment_of_something_else_is_refused()
    {
        AssessmentReport report = Report((TinyNet.First, 0.9));
        foreach ((AssessmentReport given, string digest, string cut, string tail) in (ReadOnlySpan<(AssessmentReport, string, string, string)>)
        [
            (report, new string('0', 64), TinyNet.First, TinyNet.Second),
            (report, Digest, TinyNet.Second, TinyNet.Second),
            (report, Digest, TinyNet.First, TinyNet.Pooled),
            (report with { Valid = false }, Digest, TinyNet.First, TinyNet.Second),
        ])
            Assert.Equal(PartitioningError.AssessmentRefused, Assert.Throws<PartitioningException>(() => MeasuredScores.Of(given, Model, digest, [cut], [tail])).Error);
    }

    private static AssessmentReport Report(params (string Tensor, double Score)[] cuts)
    {
        AssessmentReport sample = AssessmentReportTests.Sample("x");
        ImmutableSortedDictionary<string, double> Of(string name, double score) => ImmutableSortedDictionary<string, double>.Empty.Add(name, score);
        Finding labels = sample.Tails[0].Labels;
        return sample with
        {
            Model = sample.Model with { Sha256 = Digest },
            Cuts = [.. cuts.Select(cut => sample.Cuts[0] with { Tensors = [cut.Tensor], Findings = [sample.Cuts[0].Findings[0] with { Protection = Of(ProtectionScores.Pictures, cut.Score) }] })],
            Tails =
            [
                sample.Tails[0] with { Tensors = [], Labels = labels with { Protection = Of(ProtectionScores.Labels, 0.2) } },
                sample.Tails[0] with { Tensors = [TinyNet.Second], Labels = labels with { Protection = Of(ProtectionScores.Labels, 0.7) } },
            ],
        };
    }
}
