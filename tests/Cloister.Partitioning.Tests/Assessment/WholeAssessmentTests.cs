using System.Text;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Reports;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Assessment;

/// <summary>Assessments with the attacks themselves, on little.</summary>
public sealed class WholeAssessmentTests : IDisposable
{
    private readonly TestFolder _folder = new();

    [Fact]
    public async Task All_attacks_give_the_same_report_on_one_and_on_two_threads()
    {
        AssessmentPlan plan = new()
        {
            Model = TinyNet.Model(),
            Pictures = TinyNet.Pictures(_folder, fit: 30, test: 12),
            WorkFolder = _folder["one"],
            Cuts = [[TinyNet.Second]],
            Oracle = TinyNet.Model(seed: 2),
            PublicModels = [new PublicModelFile(TinyNet.Model(seed: 1), [])],
            Threads = 1,
            Clock = new FixedClock(),
        };
        AssessmentReport one = await AssessmentRun.RunAsync(plan), two = await AssessmentRun.RunAsync(plan with { Threads = 2, WorkFolder = _folder["two"] });
        Assert.Equal(Encoding.UTF8.GetString(one.ToBytes()), Encoding.UTF8.GetString(two.ToBytes()));
        // What one unit alone computes with all threads, after a stop, is what it computes beside others.
        File.Delete(Directory.GetFiles(_folder["two"], "inversion-*")[0]);
        Assert.Equal(two.ToBytes(), (await AssessmentRun.RunAsync(plan with { Threads = 2, WorkFolder = _folder["two"] })).ToBytes());
        Assert.Equal(["inversion", "heuristic", "weights"], one.Cuts[0].Findings.Select(finding => finding.Attack));
        Assert.Equal(4, one.Tails.Length);
        AssessmentReport other = await AssessmentRun.RunAsync(plan with { Seed = 2 });
        Assert.NotEqual(one.ToBytes(), other.ToBytes());
    }

    [SharedDataFact]
    public async Task A_model_is_assessed_as_the_readme_says()
    {
        // As in the README.
        AssessedModel model = AssessedModel.Read("net.onnx", File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")), Preprocessing.Parse("imagenet"));
        PictureSet pictures = PictureSource.Read(new PictureRequest { Paths = [TestData.Path("inputs/cifar10")], Size = model.Size, Preprocessing = model.Preprocessing, Fit = 30, Test = 12 });
        AssessmentReport report = await AssessmentRun.RunAsync(new AssessmentPlan { Model = model, Pictures = pictures, WorkFolder = _folder["units"], Cuts = [["layer1.0/add/relu"]], Threads = 2 });
        Assert.True(report.Valid, string.Join('\n', report.Calibration.Notes));
        Assert.Equal(CutVerdict.Leaks, report.Cuts[0].Verdict);
        Assert.Equal(0, report.Cuts[0].Protection[ProtectionScores.Pictures]);
        Assert.Contains("data:image/png;base64,", Encoding.UTF8.GetString(AssessmentPage.Write(report)), StringComparison.Ordinal);
        Assert.StartsWith("Do not partition this model", report.Recommendation.Words[0], StringComparison.Ordinal);
    }

    [SharedDataFact]
    public async Task Texts_are_assessed_where_a_model_reads_them()
    {
        AssessedModel model = AssessedModel.ReadTexts("reviews.onnx", File.ReadAllBytes(TestData.Path("models/text/sentiment-movie-review.onnx")), length: 12);
        AssessmentReport report = await AssessmentRun.RunAsync(new AssessmentPlan { Model = model, Pictures = PictureSet.OfTexts(null), WorkFolder = _folder["units"], Cuts = [["emb"]], Threads = 2 });
        Assert.True(report.Valid);
        Assert.Equal("leaks text", report.Cuts[0].Words);
        Assert.Equal(0, report.Cuts[0].Findings[0]["chance-of-as-many"]!.Value.Estimate, 1e-9);
        Assert.True(report.Cuts[0].Protection[ProtectionScores.Tokens] < 0.1);
    }

    public void Dispose() => _folder.Dispose();

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 22, 4, 0, 0, TimeSpan.Zero);
    }

    [SharedDataFact]
    public void A_language_model_is_refused_as_one()
    {
        byte[] model = File.ReadAllBytes(TestData.Path("models/llm/stories260K.onnx"));
        var refusal = Assert.Throws<GraphException>(() => AssessedModel.ReadTexts("stories.onnx", model, length: 12));
        Assert.Equal(GraphError.LanguageModel, refusal.Error);
    }
}
