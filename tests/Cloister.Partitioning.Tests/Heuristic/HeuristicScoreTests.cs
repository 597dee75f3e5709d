using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Heuristic;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Heuristic;

public sealed class HeuristicScoreTests
{
    [SharedDataFact]
    public void A_table_of_deltas_is_judged_as_by_hand()
    {
        // Pictures 0 and 2 fit their own maps best; picture 1 fits those of 0 and 2 better.
        HeuristicScore score = Judge(new double[,] { { 0.1, 0.9, 1.1 }, { 0.5, 1.5, 0.6 }, { 1.3, 1.2, 1.0 } });
        Assert.Equal([1, 3, 1], score.Pictures.Select(picture => picture.Rank));
        Assert.Equal([1.0, 0.55, 1.25], score.Pictures.Select(picture => picture.NullMedian), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(2 / 3.0, score.OwnFirst.Estimate, 1e-12);
        Assert.Equal(1 / 3.0, score.OwnFirstChance, 1e-12);
        Assert.Equal(2 / 3.0, score.Safe.Estimate, 1e-12);
        Assert.Equal(0.5, score.NullSafe, 1e-12);
        Assert.Equal(1.0, score.Delta.Median, 1e-12);
        Assert.Equal(0.1, score.Delta.Least, 1e-12);
        Assert.False(score.SafeByPaper);
        Assert.True(score.SafeByMedian);
        Assert.Equal(1 - (score.OwnFirst.Upper - 1 / 3.0) / (2 / 3.0), score.Protection, 1e-12);
    }

    [SharedDataFact]
    public void Equal_deltas_count_as_chance()
    {
        HeuristicScore score = Judge(new double[200, 200]);
        Assert.InRange(score.OwnFirst.Estimate, 0, 0.03);
        Assert.Equal(10, 200 * score.OwnInLowestChance, 1e-9);
        Assert.InRange(score.OwnInLowest.Estimate, 0.005, 0.12);
    }

    private static HeuristicScore Judge(double[,] deltas)
    {
        using Oracle oracle = Oracle.Open(OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/mnist.onnx"))), Preprocessing.Parse("raw"));
        int count = deltas.GetLength(0);
        return HeuristicAttack.Score(
            new HeuristicSettings(), oracle, ExposureData.Named("t"), [.. Enumerable.Range(0, count).Select(i => $"{i}")], deltas,
            [.. Enumerable.Range(0, count).Select(_ => new HeuristicAttack.Layer([[0.5, 0.5]], 0, 1))]);
    }
}
