using System.Collections.Immutable;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Tests.Labels;

/// <summary>Calibration: where the tensor is the answer everything is named, where it is noise nothing.</summary>
public sealed class ExposureProbesTests
{
    private const int Fit = 200, Test = 150, Classes = 8;

    [Fact]
    public void A_tensor_that_is_the_answer_names_every_picture()
    {
        (Answers answers, string[] truth) = Drawn(1);
        LabelExposure exposure = Try(answers, truth, answers);
        Assert.Equal(["ridge on scores", "ridge", "greatest column", "ridge", "greatest column", "assignment"], exposure.Probes.Select(probe => probe.Method));
        Assert.All(exposure.Probes, probe => Assert.True(probe.Found, $"{probe}"));
        Assert.All(exposure.Probes.Where(probe => probe.Method is LabelProbe.GreatestColumn or LabelProbe.Assigned), probe => Assert.Equal(1, probe.Agreement.Estimate));
        Assert.Equal(0, exposure.Protection);
    }

    [Fact]
    public void Scores_teach_more_than_names_and_all_of_them_most()
    {
        // What crosses are 24 mixtures of the logits, of which no column is a class.
        (Answers answers, string[] truth) = Drawn(2);
        var random = new Random(7);
        float[] mixture = [.. Enumerable.Range(0, 24 * Classes).Select(_ => random.NextSingle() - 0.5f)];
        float[] mixed = [.. Enumerable.Range(0, answers.Pictures).SelectMany(picture => Enumerable.Range(0, 24).Select(i =>
            Enumerable.Range(0, Classes).Sum(j => mixture[i * Classes + j] * MathF.Log(answers.Values[picture * Classes + j]))))];
        double Agreement(int shown) => Try(answers, truth, null, shown, mixed).Probes[0].Agreement.Estimate;
        double names = Try(answers, truth, null, 0, mixed).Probes[1].Agreement.Estimate;
        Assert.True(Agreement(0) > 0.95, $"{Agreement(0)}");
        Assert.True(Agreement(0) > names && Agreement(3) > 0.5, $"{names} {Agreement(3)}");
    }

    [Fact]
    public void Noise_names_no_more_than_the_commonest_answer_does()
    {
        int found = 0;
        for (int seed = 1; seed <= 20; seed++)
        {
            (Answers answers, string[] truth) = Drawn(seed);
            LabelExposure exposure = Try(answers, truth, Drawn(seed + 1000).Answers);
            found += exposure.Found ? 1 : 0;
            Assert.All(exposure.Probes, probe => Assert.InRange(probe.Agreement.Estimate, 0, 0.3));
            Assert.True(exposure.Protection > 0.75, $"{exposure.Protection}");
        }
        Assert.InRange(found, 0, 1);
    }

    [Fact]
    public void Columns_in_another_order_are_named_all_the_same()
    {
        (Answers answers, string[] truth) = Drawn(3);
        LabelExposure exposure = Try(answers, truth, answers.Reordered([5, 2, 7, 0, 1, 3, 6, 4]));
        Assert.All(exposure.Probes.Where(probe => probe.Method is LabelProbe.GreatestColumn or LabelProbe.Assigned), probe => Assert.Equal(1, probe.Agreement.Estimate));
    }

    [Fact]
    public void Pictures_that_get_one_answer_protect_no_class_they_are_refused()
    {
        var answers = Answers.Of([.. Enumerable.Range(0, Fit + Test).Select(i => Enumerable.Range(0, Classes).Select(j => j == 3 ? 9f : (float)((i + j) % 5)).ToArray())]);
        string[] truth = [.. Enumerable.Repeat("class 3", Fit + Test)];
        Assert.Equal(PartitioningError.PicturesRefused, Assert.Throws<PartitioningException>(() => Try(answers, truth, answers)).Error);
    }

    [Fact]
    public void A_constant_tensor_leaves_the_commonest_answer()
    {
        (Answers answers, string[] truth) = Drawn(4);
        LabelExposure exposure = Try(answers, truth, new Answers([.. Enumerable.Repeat(0.125f, answers.Values.Length)], answers.Pictures, Classes));
        Assert.False(exposure.Found);
        Assert.All(exposure.Probes.Take(2), probe => Assert.Equal((0, 0.0), (probe.Features, probe.Lambda)));
    }

    private static LabelExposure Try(Answers answers, string[] truth, Answers? crossing, int shown = 0, float[]? features = null)
    {
        using var product = new MatrixProduct();
        var settings = new LabelSettings { ShownScores = shown };
        ImmutableArray<string> names = [.. Enumerable.Range(0, Classes).Select(i => $"class {i}")];
        var probes = new ExposureProbes(
            settings, Fit, answers, names, [(LabelProbe.Itself, truth[..Fit]), ("public", truth[..Fit])], new LabelMatching(settings, names, [(answers, names)]), product);
        return probes.Try(["t"], new Crossing(features ?? ColumnCorrelation.Roots(crossing!), (features?.Length ?? crossing!.Values.Length) / answers.Pictures, crossing), CancellationToken.None);
    }

    private static (Answers Answers, string[] Truth) Drawn(int seed)
    {
        var random = new Random(seed);
        var answers = Answers.Of([.. Enumerable.Range(0, Fit + Test).Select(_ => Enumerable.Range(0, Classes).Select(_ => 6 * random.NextSingle() - 3).ToArray())]);
        return (answers, [.. Enumerable.Range(0, Fit + Test).Select(i => $"class {answers.First(i)}")]);
    }
}
