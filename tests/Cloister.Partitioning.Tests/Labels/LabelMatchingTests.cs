using System.Collections.Immutable;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Tests.Labels;

public sealed class LabelMatchingTests
{
    [Fact]
    public void The_same_answers_give_every_class_away()
    {
        Answers answers = Drawn(seed: 1, pictures: 300, classes: 40);
        (LabelMatch correlation, LabelMatch first) = Match(answers, Names(40), (answers, Names(40)));
        Assert.Equal(1, correlation.Recovered.Estimate);
        Assert.Equal(1, correlation.RecoveredActive!.Value.Estimate);
        Assert.Equal((40, 1 / 40.0), (correlation.Classes, correlation.Chance));
        Assert.True(correlation.Found && correlation.Protection < 1e-12, $"{correlation}");
        Assert.Equal(correlation.Active / 40.0, first.Recovered.Estimate, 1e-12);
        Assert.Equal(1, first.RecoveredActive!.Value.Estimate);
    }

    [Fact]
    public void Answers_to_other_pictures_give_nothing_away()
    {
        int right = 0, firstRight = 0;
        for (int seed = 1; seed <= 20; seed++)
        {
            (LabelMatch correlation, LabelMatch first) = Match(Drawn(seed, 200, 50), Names(50), (Drawn(seed + 100, 200, 50), Names(50)));
            right += (int)Math.Round(50 * correlation.Recovered.Estimate);
            firstRight += (int)Math.Round(50 * first.Recovered.Estimate);
        }
        // One a draw is chance: of 20 draws, 20; five deviations around it.
        Assert.InRange(right, 0, 43);
        Assert.InRange(firstRight, 0, 43);
    }

    [Fact]
    public void Constant_columns_are_found_by_chance_only()
    {
        var flat = new Answers([.. Enumerable.Repeat(1 / 50f, 200 * 50)], 200, 50);
        (LabelMatch correlation, _) = Match(flat, Names(50), (flat, Names(50)));
        Assert.InRange(correlation.Recovered.Estimate, 0, 0.12);
    }

    [Fact]
    public void A_background_class_other_names_and_several_models_are_lined_up_by_name()
    {
        Answers answers = Drawn(seed: 2, pictures: 300, classes: 30);
        // One public model has a class in front that the model lacks, another knows every second class, backwards.
        Answers shifted = Columns(answers, [-1, .. Enumerable.Range(0, 30)]);
        int[] evens = [.. Enumerable.Range(0, 15).Select(i => 28 - 2 * i)];
        ImmutableArray<string> names = Names(30);
        (LabelMatch correlation, _) = Match(answers, names, (shifted, ["background", .. names]), (Columns(answers, evens), [.. evens.Select(i => names[i])]));
        Assert.Equal(1, correlation.Recovered.Estimate);
        Assert.Equal(1 / 31.0, correlation.Chance, 1e-12);
        (correlation, _) = Match(answers, names, (Columns(answers, evens), [.. evens.Select(i => names[i])]));
        Assert.Equal((15, 1.0), (correlation.Classes, correlation.Recovered.Estimate));
    }

    [Fact]
    public void Two_classes_of_one_name_are_both_that_name()
    {
        Answers answers = Drawn(seed: 3, pictures: 300, classes: 4);
        ImmutableArray<string> names = ["crane", "heron", "crane", "egret"];
        (LabelMatch correlation, _) = Match(answers, names, (answers, names));
        Assert.Equal((4, 1.0), (correlation.Classes, correlation.Recovered.Estimate));
    }

    [Fact]
    public void Names_that_no_public_model_knows_cannot_be_judged()
    {
        Answers answers = Drawn(seed: 4, pictures: 50, classes: 3);
        Assert.Equal(PartitioningError.LabelsRefused, Assert.Throws<PartitioningException>(() => Match(answers, ["a", "b", "c"], (answers, Names(3)))).Error);
        Assert.Equal(PartitioningError.LabelsRefused, Assert.Throws<PartitioningException>(() => ClassNames.Of(["a", "b"], 3, "The model")).Error);
        Assert.Equal(["tench, tinca tinca", "background", "n0 x"], ClassNames.Of(["n01440764 Tench, Tinca tinca ", "background", "n0 x"], 3, "The model").AsEnumerable());
        Assert.Equal(["0", "1"], ClassNames.Of([], 2, "The model").AsEnumerable());
    }

    private static (LabelMatch Correlation, LabelMatch First) Match(Answers hidden, ImmutableArray<string> names, params (Answers, ImmutableArray<string>)[] known)
    {
        using var product = new MatrixProduct();
        var matching = new LabelMatching(new LabelSettings { Seed = 11 }, names, known);
        return (matching.ByCorrelation(hidden, product, CancellationToken.None), matching.ByFirstAnswer(hidden));
    }

    private static ImmutableArray<string> Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"class {i}")];

    private static Answers Drawn(int seed, int pictures, int classes)
    {
        var random = new Random(seed);
        return Answers.Of([.. Enumerable.Range(0, pictures).Select(_ => Enumerable.Range(0, classes).Select(_ => 6 * random.NextSingle() - 3).ToArray())]);
    }

    private static Answers Columns(Answers answers, int[] columns) => new(
        [.. Enumerable.Range(0, answers.Pictures).SelectMany(picture => columns.Select(column => column < 0 ? 0.001f : answers.Values[picture * answers.Classes + column]))],
        answers.Pictures, columns.Length);
}
