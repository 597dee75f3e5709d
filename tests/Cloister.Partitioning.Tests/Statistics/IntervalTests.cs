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

    [Theory]
    [InlineData(0, 60, 1.0 / 60, 1)]
    [InlineData(3, 60, 1.0 / 60, 0.0784)]
    [InlineData(4, 60, 1.0 / 60, 0.01796)]
    [InlineData(60, 60, 0.5, 8.67e-19)]
    [InlineData(1, 1, 0.25, 0.25)]
    [InlineData(2, 10, 0, 0)]
    [InlineData(2, 10, 1, 1)]
    [InlineData(5_100, 10_000, 0.5, 0.02333)]
    public void The_chance_of_as_many_is_the_exact_tail(int successes, int trials, double chance, double expected)
    {
        Assert.Equal(1, (Proportion.ChanceOfAsMany(successes, trials, chance) + 1e-30) / (expected + 1e-30), 1e-2);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(60)]
    [InlineData(240)]
    public void Noise_is_found_to_leak_no_more_often_than_is_said(int pictures)
    {
        int least = Enumerable.Range(0, pictures).First(found => Proportion.ExceedsChance(found, pictures, 1.0 / pictures));
        Assert.True(Proportion.ChanceOfAsMany(least, pictures, 1.0 / pictures) <= 0.025);
        int calibration = Enumerable.Range(0, pictures).First(found => Proportion.ExceedsChance(found, pictures, 1.0 / pictures, 0.999));
        Assert.True(Proportion.ChanceOfAsMany(calibration, pictures, 1.0 / pictures) <= 0.001);
    }

    [Fact]
    public void A_chance_that_is_none_is_the_callers_mistake()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.ChanceOfAsMany(1, 2, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.ChanceOfAsMany(3, 2, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proportion.ChanceOfAsMany(1, 0, 0.5));
    }
}
