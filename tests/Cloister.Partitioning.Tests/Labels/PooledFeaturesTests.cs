using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Tests.Labels;

public sealed class PooledFeaturesTests
{
    [Fact]
    public void Maps_are_averaged_over_the_finest_grid_that_fits()
    {
        using OrtTensor maps = Tensor([1, 2, 4, 4], [.. Enumerable.Range(0, 32).Select(i => (float)i)]);
        Assert.Equal(32, PooledFeatures.Of([maps], 32, 1).Count);
        Assert.Equal(18, PooledFeatures.Of([maps], 31, 1).Count);
        PooledFeatures coarse = PooledFeatures.Of([maps], 8, 1);
        var row = new float[8];
        coarse.Write([maps], row);
        Assert.Equal([2.5f, 4.5f, 10.5f, 12.5f, 18.5f, 20.5f, 26.5f, 28.5f], row);
        PooledFeatures one = PooledFeatures.Of([maps], 2, 1);
        one.Write([maps], row.AsSpan(0, 2));
        Assert.Equal([7.5f, 23.5f], row[..2]);
    }

    [Fact]
    public void What_is_too_much_even_so_is_chosen_from()
    {
        using OrtTensor vector = Tensor([1, 10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), map = Tensor([1, 1, 1, 2], [40, 60]);
        PooledFeatures chosen = PooledFeatures.Of([vector, map], 5, 1);
        var row = new float[5];
        chosen.Write([vector, map], row);
        Assert.Equal(row.Order(), row);
        Assert.Equal(5, row.Distinct().Count());
        Assert.Equal(12, PooledFeatures.Of([vector, map], 100, 1).Count);
    }

    [Fact]
    public void Values_that_are_not_finite_are_refused()
    {
        using OrtTensor good = Tensor([1, 2], [0, 1]), bad = Tensor([1, 2], [0, float.NaN]), large = Tensor([1, 3], [0, 1, 2]);
        PooledFeatures pool = PooledFeatures.Of([good], 10, 1);
        Assert.Equal(PartitioningError.FeaturesRefused, Assert.Throws<PartitioningException>(() => pool.Write([bad], new float[2])).Error);
        Assert.Equal(PartitioningError.CutRefused, Assert.Throws<PartitioningException>(() => pool.Write([large], new float[2])).Error);
    }

    private static OrtTensor Tensor(long[] shape, float[] values) => OrtTensor.OverPinned(values.AsMemory(), shape);
}
