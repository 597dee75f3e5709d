using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Statistics;

public sealed class AreaUnderCurveTests
{
    [Fact]
    public void Pairs_are_counted()
    {
        Interval area = AreaUnderCurve.Of([3, 1], [2, 1, 0]);
        // 3 beats all three; 1 beats one and ties one.
        Assert.Equal((3 + 1.5) / 6, area.Estimate, 1e-12);
        Assert.True(area.Lower < area.Estimate && area.Estimate < area.Upper);
        Assert.True(area.Contains(AreaUnderCurve.Chance));
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(5, 300)]
    public void A_perfect_separation_of_few_is_not_certain(int sought, int others)
    {
        Interval area = AreaUnderCurve.Of([.. Enumerable.Repeat(1.0, sought)], new double[others]);
        Assert.Equal((1, 1), (area.Estimate, area.Upper));
        Assert.InRange(area.Lower, 0.5, 0.95);
        // Two of them do not differ, which is no certainty either.
        double[] ones = [.. Enumerable.Repeat(1.0, sought)], none = new double[others];
        Interval difference = AreaUnderCurve.Difference(ones, none, ones, none);
        Assert.Equal(0, difference.Estimate);
        Assert.True(difference.Lower < 0 && difference.Upper > 0);
    }

    [Fact]
    public void Intervals_hold_the_truth_about_as_often_as_they_say()
    {
        int held = 0, differenceHeld = 0, wider = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            double[] one = Draw(random, 40, 0), other = Draw(random, 60, 0);
            held += AreaUnderCurve.Of(one, other).Contains(0.5) ? 1 : 0;

            // Two sets of numbers of the same things, alike but for noise of their own: both areas are the same.
            double[] sought = Draw(random, 40, 1), others = Draw(random, 60, 0);
            double[] first = Noisy(sought), firstOthers = Noisy(others), second = Noisy(sought), secondOthers = Noisy(others);
            Interval difference = AreaUnderCurve.Difference(first, firstOthers, second, secondOthers);
            differenceHeld += difference.Contains(0) ? 1 : 0;
            Interval a = AreaUnderCurve.Of(first, firstOthers), b = AreaUnderCurve.Of(second, secondOthers);
            wider += Math.Sqrt(Math.Pow(a.Upper - a.Lower, 2) + Math.Pow(b.Upper - b.Lower, 2)) > difference.Upper - difference.Lower ? 1 : 0;
            double[] Noisy(double[] values) => [.. values.Select(value => value + 0.5 * Gauss(random))];
        }
        Assert.InRange(held / 400.0, 0.92, 0.98);
        Assert.InRange(differenceHeld / 400.0, 0.92, 0.99);
        // That they are of the same things makes the difference surer.
        Assert.True(wider > 390, $"{wider}");
    }

    [Fact]
    public void Of_nothing_nothing_is_said()
    {
        Assert.Throws<ArgumentException>(() => AreaUnderCurve.Of([], [1]));
        Assert.Throws<ArgumentException>(() => AreaUnderCurve.Of([1], []));
        Assert.Throws<ArgumentException>(() => AreaUnderCurve.Difference([1], [0], [1, 2], [0]));
    }

    private static double[] Draw(Random random, int count, double above) => [.. Enumerable.Range(0, count).Select(_ => above + Gauss(random))];

    private static double Gauss(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
