using Cloister.Partitioning.Heuristic;

namespace Cloister.Partitioning.Tests.Heuristic;

public sealed class DivergenceTests
{
    [Fact]
    public void It_equals_what_is_worked_out_by_hand()
    {
        // 1/2 log(1/2 / 1/4) + 1/4 log(1/4 / 1/4) + 1/4 log(1/4 / 1/2) = (1/2 + 0 - 1/4) log 2.
        Assert.Equal(0.25 * Math.Log(2), Divergence.Between([0.5, 0.25, 0.25], [0.25, 0.25, 0.5]), 1e-15);
        Assert.Equal(Math.Log(2), Divergence.Between([1, 0], [0.5, 0.5]), 1e-15);
        Assert.Equal(0, Divergence.Between([0.3, 0.7], [0.3, 0.7]), 1e-15);
    }

    [Fact]
    public void A_class_that_was_rounded_to_zero_counts_as_the_floor()
    {
        Assert.Equal(-Math.Log(Divergence.Floor), Divergence.Between([1, 0], [0, 1]), 1e-12);
        Assert.Equal(0.5 * Math.Log(0.5) + 0.5 * Math.Log(0.5 / Divergence.Floor), Divergence.Between([0.5, 0.5], [1, 0]), 1e-12);
    }

    [Fact]
    public void Against_the_uniform_guess_it_is_the_lack_of_entropy()
    {
        Assert.Equal(Math.Log(4), Divergence.FromUniform([0, 0, 1, 0]), 1e-15);
        Assert.Equal(0, Divergence.FromUniform([0.25, 0.25, 0.25, 0.25]), 1e-15);
        double[] p = [0.1, 0.2, 0.3, 0.4];
        Assert.Equal(Divergence.Between(p, [0.25, 0.25, 0.25, 0.25]), Divergence.FromUniform(p), 1e-15);
    }

    [Fact]
    public void Answers_of_different_lengths_are_a_mistake_of_the_caller() =>
        Assert.Throws<ArgumentException>(() => Divergence.Between([1, 0], [1, 0, 0]));
}
