using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Reports;
using Cloister.Partitioning.Tests.Membership;
using Cloister.Partitioning.Tests.Weights;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Assessment;

/// <summary>Attacks to which the tail makes a difference: what the report says with and without one, and which scores a partition gets.</summary>
public sealed class PartsTests : IDisposable
{
    private const string Early = "layer2.0/add/relu", Late = "layer3.1/add/relu", Flat = "flat";

    private readonly TestFolder _folder = new();

    [SharedDataFact]
    public async Task Where_the_secret_is_the_tail_it_is_safe_inside_and_lost_outside()
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx"));
        AssessedModel known = AssessedModel.Read("public.onnx", bytes, Preprocessing.Parse("imagenet"));
        AssessedModel victim = AssessedModel.Read("victim.onnx", Victim.WithOtherHead(OnnxModel.Parse(bytes), seed: 1).ToBytes(), Preprocessing.Parse("imagenet"));
        AssessmentReport report = await RunAsync(new AssessmentPlan
        {
            Model = victim, Pictures = Cifar(victim, 40, 40), WorkFolder = _folder["units"], Cuts = [[Early], [Late]], Tails = [[Flat], [Early]], PublicModels = [new PublicModelFile(known, [])], Threads = 2,
        }, new WeightUnit([new PublicModelFile(known, [])]));

        Finding outside = report.Cuts[0]["weights"]!;
        FoundWithTail inside = Assert.Single(report.Cuts[0].Tails);
        Assert.Equal(Flat, Assert.Single(inside.Tensors));
        Assert.Equal(1, outside["surrogate-fidelity"]!.Value.Estimate);
        Assert.Equal(0, outside.Protection[ProtectionScores.Weights], 1e-9);
        Assert.True(outside.Found);
        Finding kept = Assert.Single(inside.Findings);
        Assert.Equal(kept["public-model-fidelity"]!.Value, kept["surrogate-fidelity"]!.Value);
        Assert.Equal(kept["public-model-taught-tail-fidelity"]!.Value, kept["taught-tail-fidelity"]!.Value);
        Assert.Equal(0, kept["surrogate-resolves"]!.Value.Estimate);
        Assert.True(kept.Protection[ProtectionScores.Weights] > 0.2, $"{kept.Protection[ProtectionScores.Weights]}");
        Assert.False(kept.Found);
        Assert.DoesNotContain(kept.Notes, note => note.Contains("keeps no secret", StringComparison.Ordinal));

        // The signed scores are those of the tail that the partition has; of another nothing was measured.
        AssessmentReport read = AssessmentReport.Read(report.ToBytes());
        double With(params string[] tail) => MeasuredScores.Of(read, victim.Proto, victim.Digest, [Early], tail).GetValueOrDefault(ProtectionScores.Weights, -1);
        Assert.Equal(0, With(), 1e-9);
        Assert.Equal(Math.Min(kept.Protection[ProtectionScores.Weights], report.Cuts[1].Tails[0].Findings[0].Protection[ProtectionScores.Weights]), With(Flat));
        Assert.Equal(-1, With("layer3.2/add/relu"));
    }

    [SharedDataFact]
    public async Task Training_pictures_are_told_as_the_plan_says_and_taken_up_again_for_the_same_ones_alone()
    {
        PictureSet set = Cifar(AssessedModel.Read("net", File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")), Preprocessing.Parse("unit")), 60, 120);
        PictureSet members = Half(set, set.Test[..60]), pictures = Half(set, set.Test[60..]);
        AssessedModel model = AssessedModel.Read("learned.onnx", OverfittedNet.Fitted(members.Test, "Hardmax").ToBytes(), Preprocessing.Parse("unit"));
        AssessmentPlan plan = new()
        {
            Model = model, Pictures = pictures, Members = members, WorkFolder = _folder["units"], Cuts = [[OverfittedNet.Features]], Tails = [[OverfittedNet.Flat]], Threads = 2,
        };
        AssessmentReport report = await RunAsync(plan, new MembershipUnit(members));
        Finding outside = report.Cuts[0]["membership"]!, inside = Assert.Single(Assert.Single(report.Cuts[0].Tails).Findings);
        Assert.True(outside.Found);
        Assert.True(outside["members-outside"]!.Value.Lower > 0.7);
        Assert.Equal((0.5, 0.5), (outside["members-outside"]!.Chance, outside["members-by-answers"]!.Value.Estimate));
        Assert.True(outside["members-added-by-partitioning"]!.Value.Lower > 0.2);
        Assert.Contains("Partitioning adds to it", outside.Notes[0], StringComparison.Ordinal);
        Assert.False(inside.Found);
        Assert.Equal((60, 0), (report.Members!.Test, report.Members.Fit));
        Assert.Equal(outside.Protection[ProtectionScores.Membership], MeasuredScores.Of(report, model.Proto, model.Digest, [OverfittedNet.Features], [])[ProtectionScores.Membership]);
        Assert.Equal(inside.Protection[ProtectionScores.Membership], MeasuredScores.Of(report, model.Proto, model.Digest, [OverfittedNet.Features], [OverfittedNet.Flat])[ProtectionScores.Membership]);
        Assert.Contains("Training pictures told from others", System.Text.Encoding.UTF8.GetString(AssessmentPage.Write(report)), StringComparison.Ordinal);

        string[] kept = Directory.GetFiles(_folder["units"], "membership-*");
        await RunAsync(plan, new MembershipUnit(members));
        Assert.Equal(kept, Directory.GetFiles(_folder["units"], "membership-*"));
        await RunAsync(plan with { Members = Half(set, set.Fit) }, new MembershipUnit(Half(set, set.Fit)));
        Assert.Equal(2, Directory.GetFiles(_folder["units"], "membership-*").Length);

        AssessmentReport twice = await RunAsync(plan with { Members = pictures }, new MembershipUnit(pictures));
        Assert.Contains("122 SamplesOverlap", twice.Cuts[0]["membership"]!.NotRun, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => RunAsync(plan with { Members = members with { Size = new(3, 9, 9) } }, new MembershipUnit(members)));
    }

    public void Dispose() => _folder.Dispose();

    private static Task<AssessmentReport> RunAsync(AssessmentPlan plan, IAttack attack) =>
        AssessmentRun.RunAsync(plan with { Attacks = new AttackList(new CountingAttack("calibration"), [], null) { AtParts = [attack] } });

    private static PictureSet Cifar(AssessedModel model, int fit, int test) => PictureSource.Read(
        new PictureRequest { Paths = [TestData.Path("inputs/cifar10")], Fit = fit, Test = test, Size = model.Size, Preprocessing = model.Preprocessing });

    private static PictureSet Half(PictureSet set, ImmutableArray<Cloister.Partitioning.Features.AssessedPicture> pictures) =>
        set with { Fit = [], Test = pictures, Digest = PictureSet.DigestOf([], pictures) };
}
