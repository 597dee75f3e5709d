using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Statistics;

public sealed class IntervalTests
{
    [Theory]
    [InlineData(1, 60)]
    [InlineData(30, 60)]
    [InlineData(59, 60)]
    [InlineData(7, 1000)]
    public void Wilsons_bounds_are_the_shares_from_which_the_estimate_lies_z_deviations_away(int successes, int trials)
    {
        const double Z = 1.959963985;
        Interval interval = Proportion.Wilson(successes, trials);
        Assert.Equal((double)successes / trials, interval.Estimate);
        Assert.All([interval.Lower, interval.Upper], bound => Assert.Equal(Z, Math.Abs(interval.Estimate - bound) / Math.Sqrt(bound * (1 - bound) / trials), 1e-6));
        Assert.True(interval.Lower < interval.Estimate && interval.Estimate < interval.Upper);
    }

    [Fact]
    public void All_or_nothing_leaves_one_bound_at_the_end()
    {
        Interval none = Proportion.Wilson(0, 10), all = Proportion.Wilson(10, 10);
        Assert.Equal((0, 0), (none.Lower, none.Estimate));
        Assert.Equal((1, 1), (all.Upper, all.Estimate));
        Assert.Equal(1 - none.Upper, all.Lower, 1e-12);
        Assert.Equal(3.8414588 / (10 + 3.8414588), none.Upper, 1e-6); // z^2 / (n + z^2)
    }

    [Fact]
    public void A_share_of_nothing_and_impossible_counts_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.Wilson(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.Wilson(3, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.Wilson(-1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.Wilson(1, 2, 1));
    }

    [Theory]
    [InlineData(0.975, 1.959963985)]
    [InlineData(0.995, 2.575829304)]
    [InlineData(0.5, 0)]
    [InlineData(0.001, -3.090232306)]
    public void Quantiles_of_the_normal_distribution_are_right(double p, double quantile) => Assert.Equal(quantile, Normal.Quantile(p), 1e-7);

    [Fact]
    public void A_bootstrapped_mean_covers_the_true_one_about_as_often_as_it_says()
    {
        int covered = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new SplitMix64(seed);
            double[] values = [.. Enumerable.Range(0, 60).Select(_ => 3 + random.Gauss())];
            covered += Bootstrap.Mean(values, seed, 400).Contains(3) ? 1 : 0;
        }
        Assert.InRange(covered, 176, 200);
    }

    [Fact]
    public void A_seed_gives_one_interval_and_one_value_gives_itself()
    {
        double[] values = [1, 2, 3, 5, 8, 13];
        Assert.Equal(Bootstrap.Mean(values, 7), Bootstrap.Mean(values, 7));
        Assert.Equal(new Interval(4, 4, 4), Bootstrap.Mean([4], 1));
        Assert.Throws<ArgumentException>(() => Bootstrap.Mean([], 1));
        Assert.Throws<ArgumentException>(() => Bootstrap.Mean([double.NaN], 1));
    }

    [Fact]
    public void Chosen_numbers_are_different_ones_in_order()
    {
        int[] chosen = new SplitMix64(5).Choose(10, 100);
        Assert.Equal(chosen.Distinct().Order(), chosen);
        Assert.Equal(10, chosen.Length);
        Assert.Equal([0, 1, 2], new SplitMix64(5).Choose(9, 3));
    }
}
