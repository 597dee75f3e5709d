using Cloister.Partitioning.Statistics;
using Cloister.Partitioning.Weights;

namespace Cloister.Partitioning.Tests.Weights;

public sealed class MembershipScoreTests
{
    [Fact]
    public void Pairs_are_counted()
    {
        MembershipScore score = MembershipScore.Of([3, 1], [2, 1, 0], 0.95);
        // 3 beats all three; 1 beats one and ties one.
        Assert.Equal((3 + 1.5) / 6, score.Auc.Estimate, 1e-12);
        Assert.True(score.Auc.Lower < score.Auc.Estimate && score.Auc.Estimate < score.Auc.Upper);
        Assert.False(score.Leaks);
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(5, 300)]
    public void A_perfect_separation_of_few_is_not_certain(int members, int others)
    {
        MembershipScore score = MembershipScore.Of([.. Enumerable.Repeat(1.0, members)], new double[others], 0.95);
        Assert.Equal((1, 1), (score.Auc.Estimate, score.Auc.Upper));
        Assert.InRange(score.Auc.Lower, 0.5, 0.95);
    }

    [Fact]
    public void Intervals_hold_the_truth_about_as_often_as_they_say()
    {
        int held = 0, leaks = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            double[] one = [.. Enumerable.Range(0, 40).Select(_ => random.NextDouble())], other = [.. Enumerable.Range(0, 60).Select(_ => random.NextDouble())];
            MembershipScore score = MembershipScore.Of(one, other, 0.95);
            held += score.Auc.Contains(0.5) ? 1 : 0;
            leaks += score.Leaks ? 1 : 0;
        }
        Assert.InRange(Proportion.Wilson(held, 400).Estimate, 0.92, 0.98);
        Assert.InRange(leaks, 0, 20);
    }

    [Fact]
    public void Nothing_is_said_of_nothing() => Assert.Throws<ArgumentException>(() => MembershipScore.Of([], [1], 0.95));
}
