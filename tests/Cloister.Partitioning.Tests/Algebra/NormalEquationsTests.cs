using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Algebra;

public sealed class NormalEquationsTests : IDisposable
{
    private readonly MatrixProduct _product = new();

    public void Dispose() => _product.Dispose();

    [Fact]
    public void A_linear_map_is_found_whatever_the_features_scales_and_means()
    {
        var equations = new NormalEquations(5, 3, _product);
        for (int block = 0; block < 4; block++)
        {
            (float[] x, float[] y) = Linear(500, seed: block);
            equations.Add(x, y, 500);
        }
        Assert.Equal(2000, equations.Rows);
        RidgeModel model = equations.Solve(1e-8, threads: 2);
        (float[] test, float[] expected) = Linear(100, seed: 99);
        float[] predicted = new float[300];
        model.Predict(test, 100, predicted, _product);
        for (int i = 0; i < predicted.Length; i++)
            Assert.Equal(expected[i], predicted[i], 2e-3);
    }

    [Theory]
    [InlineData(1e-20f, 0f)]
    [InlineData(1e-30f, 0f)]
    [InlineData(1e-37f, 0f)]
    [InlineData(1e20f, 0f)]
    [InlineData(1f, 1e4f)]
    [InlineData(1e-6f, 1e-2f)]
    public void No_factor_and_no_constant_hides_a_feature(float factor, float constant)
    {
        float[] Hide(float[] x) => [.. x.Select((value, i) => i % 5 == 0 ? value : value * factor + constant)];
        (float[] X, float[] Y) Rows(int count, int seed)
        {
            var random = new SplitMix64(seed);
            float[] x = [.. Enumerable.Range(0, 5 * count).Select(_ => (float)random.Gauss())];
            return (x, [.. Enumerable.Range(0, count).Select(row => x[5 * row + 1] + x[5 * row + 4])]);
        }
        var equations = new NormalEquations(5, 1, _product);
        foreach (int seed in new[] { 1, 2 })
        {
            (float[] x, float[] y) = Rows(400, seed);
            equations.Add(Hide(x), y, 400);
        }
        RidgeModel model = equations.Solve(1e-6);
        Assert.Equal(5, model.UsedFeatures);
        (float[] test, float[] expected) = Rows(100, 9);
        float[] predicted = new float[100];
        model.Predict(Hide(test), 100, predicted, _product);
        Assert.Equal(0, expected.Zip(predicted, (a, b) => Math.Abs(a - b)).Max(), 2e-2);
    }

    [Fact]
    public void The_error_that_the_equations_tell_is_that_of_the_predictions()
    {
        var fit = new NormalEquations(5, 3, _product);
        (float[] x, float[] y) = Linear(300, seed: 1);
        fit.Add(x, y, 300);
        NormalEquations holdOut = fit.Sibling();
        (x, y) = Linear(200, seed: 2);
        holdOut.Add(x.ToArray(), y.ToArray(), 200);
        RidgeModel model = fit.Solve(0.3);
        float[] predicted = new float[600];
        model.Predict(x, 200, predicted, _product);
        double error = predicted.Zip(y, (p, t) => Math.Pow(p - (double)t, 2)).Average();
        Assert.Equal(1, holdOut.MeanSquaredError(model, [0, 1, 2], 2, CancellationToken.None) / error, 1e-4);
    }

    [Fact]
    public void Joined_equations_are_those_of_all_rows()
    {
        var whole = new NormalEquations(5, 3, _product);
        var first = new NormalEquations(5, 3, _product);
        (float[] x, float[] y) = Linear(300, seed: 1);
        whole.Add(x.ToArray(), y.ToArray(), 300);
        first.Add(x, y, 300);
        NormalEquations second = first.Sibling();
        (x, y) = Linear(200, seed: 2);
        whole.Add(x.ToArray(), y.ToArray(), 200);
        second.Add(x, y, 200);
        first.Join(second);
        Assert.Equal(whole.Solve(0.1).Weights, first.Solve(0.1).Weights);
        Assert.Throws<ArgumentException>(() => whole.Join(second));
    }

    [Fact]
    public void Constant_and_repeated_features_do_no_harm()
    {
        var equations = new NormalEquations(4, 1, _product);
        var random = new SplitMix64(4);
        float[] x = new float[400 * 4], y = new float[400];
        for (int row = 0; row < 400; row++)
        {
            float value = (float)random.Gauss();
            (x[row * 4], x[row * 4 + 1], x[row * 4 + 2], x[row * 4 + 3]) = (value, 1000.1f, value, 0);
            y[row] = 2 * value + 1;
        }
        equations.Add(x.ToArray(), y.ToArray(), 400);
        RidgeModel model = equations.Solve(1e-6);
        Assert.Equal(2, model.UsedFeatures);
        Assert.Equal(4, model.Features);
        float[] predicted = new float[400];
        model.Predict(x, 400, predicted, _product);
        Assert.Equal(0, y.Zip(predicted, (a, b) => Math.Abs(a - b)).Max(), 1e-3);
    }

    [Fact]
    public void Nothing_is_fitted_to_constant_or_broken_features()
    {
        var constant = new NormalEquations(2, 1, _product);
        constant.Add(new float[20], new float[10], 10);
        Assert.Equal(PartitioningError.FeaturesRefused, Assert.Throws<PartitioningException>(() => constant.Solve(1)).Error);
        foreach (float broken in new[] { float.NaN, float.PositiveInfinity, float.MaxValue })
        {
            var equations = new NormalEquations(2, 1, _product);
            float[] x = [.. Enumerable.Range(0, 20).Select(i => (float)i)];
            equations.Add(x.ToArray(), new float[10], 10);
            x[7] = broken;
            Assert.Equal(PartitioningError.FeaturesRefused, Assert.Throws<PartitioningException>(() => equations.Add(x, new float[10], 10)).Error);
        }
    }

    [Fact]
    public void A_callers_mistakes_are_told()
    {
        var equations = new NormalEquations(2, 1, _product);
        Assert.Throws<ArgumentException>(() => equations.Add(new float[19], new float[10], 10));
        Assert.Throws<InvalidOperationException>(() => equations.Solve(1));
        Assert.Throws<InvalidOperationException>(equations.Sibling);
        Assert.Throws<ArgumentOutOfRangeException>(() => new NormalEquations(0, 1, _product));
        (float[] x, float[] y) = Linear(10, 1);
        var five = new NormalEquations(5, 3, _product);
        five.Add(x, y, 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => five.Solve(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => five.Solve(double.NaN));
    }

    [Fact]
    public void A_broken_feature_at_the_test_is_refused()
    {
        var equations = new NormalEquations(5, 3, _product);
        (float[] x, float[] y) = Linear(100, seed: 1);
        equations.Add(x, y, 100);
        RidgeModel model = equations.Solve(1e-3);
        Assert.Equal(PartitioningError.FeaturesRefused, Assert.Throws<PartitioningException>(() => model.Predict(new float[] { 1, 2, float.NaN, 4, 5 }, 1, new float[3], _product)).Error);
    }

    // Means up to thousands of deviations away from zero, scales over six decades.
    private static (float[] X, float[] Y) Linear(int rows, int seed)
    {
        var random = new SplitMix64(seed);
        float[] x = new float[rows * 5], y = new float[rows * 3];
        for (int row = 0; row < rows; row++)
        {
            double[] hidden = [.. Enumerable.Range(0, 5).Select(_ => random.Gauss())];
            for (int i = 0; i < 5; i++)
                x[row * 5 + i] = (float)(Math.Pow(10, i - 3) * (hidden[i] + 100 * i));
            for (int t = 0; t < 3; t++)
                y[row * 3 + t] = (float)(t + hidden[t] - 0.5 * hidden[t + 1] + 0.25 * hidden[4]);
        }
        return (x, y);
    }
}
