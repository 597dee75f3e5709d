using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Algebra;

public sealed class CholeskyFactorTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 3, 1)]
    [InlineData(48, 16, 2)]
    [InlineData(49, 17, 2)]
    [InlineData(150, 37, 2)]
    public void A_solved_system_gives_back_its_right_side(int size, int columns, int threads)
    {
        var random = new SplitMix64(size);
        double[] root = [.. Enumerable.Range(0, size * size).Select(_ => random.Gauss())];
        double[] matrix = new double[size * size], right = [.. Enumerable.Range(0, size * columns).Select(_ => random.Gauss())], solution = [.. right];
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++)
                matrix[i * size + j] = Enumerable.Range(0, size).Sum(k => root[i * size + k] * root[j * size + k]) + (i == j ? size : 0);
        CholeskyFactor factor = CholeskyFactor.TryFactor([.. matrix], size, threads)!;
        factor.Solve(solution, columns);
        for (int i = 0; i < size; i++)
            for (int t = 0; t < columns; t++)
                Assert.Equal(right[i * columns + t], Enumerable.Range(0, size).Sum(k => matrix[i * size + k] * solution[k * columns + t]), 1e-8);
    }

    [Fact]
    public void A_matrix_that_is_not_positive_definite_has_no_factor()
    {
        Assert.Null(CholeskyFactor.TryFactor([1, 0, 2, 1], 2, 1));
        Assert.Null(CholeskyFactor.TryFactor([0], 1, 1));
        Assert.Null(CholeskyFactor.TryFactor([double.NaN], 1, 1));
        Assert.Null(CholeskyFactor.TryFactor([double.PositiveInfinity], 1, 1));
    }

    [Fact]
    public void A_cancelled_factorisation_stops() =>
        Assert.Throws<OperationCanceledException>(() => CholeskyFactor.TryFactor(new double[500 * 500].Select((_, i) => i % 501 == 0 ? 1.0 : 0).ToArray(), 500, 2, new CancellationToken(true)));
}
