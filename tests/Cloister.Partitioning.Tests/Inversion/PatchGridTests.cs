using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Inversion;

public sealed class PatchGridTests
{
    [Fact]
    public void Every_pixel_has_an_owner_whose_patch_holds_it()
    {
        for (int pixels = 1; pixels <= 130; pixels++)
            for (int cells = 1; cells <= pixels; cells++)
            {
                AxisGrid grid = AxisGrid.Of(pixels, cells);
                for (int cell = 0; cell < cells; cell++)
                    Assert.True(grid.Origin(cell) >= 0 && grid.Origin(cell) + grid.Patch <= pixels, $"{pixels} pixels, {cells} cells, cell {cell}");
                for (int pixel = 0; pixel < pixels; pixel++)
                {
                    int owner = grid.Owner(pixel);
                    Assert.True(owner >= 0 && owner < cells && pixel >= grid.Origin(owner) && pixel < grid.Origin(owner) + grid.Patch, $"{pixels} pixels, {cells} cells, pixel {pixel}");
                }
            }
    }

    [Theory]
    [InlineData(224, 112, 2, 0)]
    [InlineData(224, 111, 4, 0)] // an unpadded layer of stride 2: patches of 2 and the border's 2
    [InlineData(224, 55, 8, 0)]
    [InlineData(224, 13, 32, 0)]
    [InlineData(30, 10, 3, 0)]
    public void Patches_follow_the_stride(int pixels, int cells, int patch, int origin)
    {
        AxisGrid grid = AxisGrid.Of(pixels, cells);
        Assert.Equal(patch, grid.Patch);
        Assert.Equal(origin, grid.Origin(0));
        Assert.Equal(pixels - patch, grid.Origin(cells - 1));
    }

    [Theory]
    [InlineData(32, 32, 16, 16)]
    [InlineData(32, 24, 5, 7)]
    [InlineData(31, 29, 14, 13)]
    [InlineData(32, 32, 1, 1)]
    public void A_picture_survives_its_patches(int height, int width, int rows, int columns)
    {
        var size = new PictureSize(3, height, width);
        float[] picture = Noise(size.Elements), back = new float[size.Elements];
        var grid = new PatchGrid(size, rows, columns, 32);
        grid.Assemble(Patches(grid, picture), back);
        Assert.Equal(picture, back);
    }

    [Fact]
    public void A_patch_that_is_predicted_coarser_keeps_means_and_slopes()
    {
        var size = new PictureSize(1, 64, 64);
        float[] slope = [.. Enumerable.Range(0, size.Elements).Select(i => i % 64 / 64f)], back = new float[size.Elements];
        var grid = new PatchGrid(size, 1, 1, 16);
        Assert.Equal(256, grid.Targets);
        grid.Assemble(Patches(grid, slope), back);
        for (int i = 0; i < back.Length; i++)
            Assert.Equal(slope[i], back[i], 2 / 64f);
        Assert.Equal(slope.Average(), back.Average(), 1e-4f);
    }

    [Fact]
    public void A_cell_sees_its_neighbours_and_zeros_beyond_the_edge()
    {
        var map = new FeatureMap(2, 3, 4, 1, 12, 0);
        float[] tensor = [.. Enumerable.Range(0, 24).Select(i => (float)i)], seen = new float[18];
        var window = new CellWindow(map, 3, 4, 3, 100, 1);
        window.Read(tensor, 1, 1, seen);
        Assert.Equal([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22], seen);
        window.Read(tensor, 0, 3, seen);
        Assert.Equal([0, 0, 0, 2, 3, 0, 6, 7, 0, 0, 0, 0, 14, 15, 0, 18, 19, 0], seen);
    }

    [Fact]
    public void A_finer_tensor_gives_all_cells_under_a_coarser_one_and_a_coarser_one_repeats_itself()
    {
        float[] fine = [.. Enumerable.Range(0, 16).Select(i => (float)i)], seen = new float[4], one = new float[1];
        var window = new CellWindow(new FeatureMap(1, 4, 4, 1, 16, 0), 2, 2, 3, 100, 1);
        window.Read(fine, 1, 0, seen);
        Assert.Equal([8, 9, 12, 13], seen);
        var repeated = new CellWindow(new FeatureMap(1, 2, 2, 1, 4, 0), 4, 4, 3, 100, 1);
        repeated.Read([1, 2, 3, 4], 1, 3, one);
        Assert.Equal([2], one);
    }

    [Fact]
    public void Numbers_that_are_too_many_keep_their_inner_products_in_the_mean()
    {
        var map = new FeatureMap(4_000, 1, 1, 1, 1, 0);
        float[] tensor = Noise(4_000);
        double length = tensor.Sum(value => (double)value * value), sum = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            var window = new CellWindow(map, 1, 1, 1, 200, seed);
            Assert.Equal((4_000, 200), (window.Numbers, window.Features));
            float[] hashed = new float[200], again = new float[200];
            window.Read(tensor, 0, 0, hashed);
            window.Read(tensor, 0, 0, again);
            Assert.Equal(hashed, again);
            sum += hashed.Sum(value => (double)value * value) / 20;
        }
        Assert.InRange(sum / length, 0.85, 1.15);
    }

    [Theory]
    [InlineData(new long[] { 1, 64, 28, 28 }, 64, 28, 28, 1, 784)]
    [InlineData(new long[] { 1, 28, 28, 64 }, 64, 28, 28, 64, 1)]
    [InlineData(new long[] { 1, 197, 768 }, 768, 14, 14, 768, 1)]
    [InlineData(new long[] { 1, 49, 32 }, 32, 7, 7, 32, 1)]
    [InlineData(new long[] { 1, 1000 }, 1000, 1, 1, 1, 1)]
    [InlineData(new long[] { 1, 1000, 1, 1 }, 1000, 1, 1, 1, 1)]
    [InlineData(new long[] { 1, 13, 5 }, 65, 1, 1, 1, 1)]
    public void A_tensors_shape_says_how_it_lies_over_the_picture(long[] shape, int channels, int height, int width, int cellStep, int channelStep)
    {
        FeatureMap map = FeatureMap.Of(shape, 224, 224);
        Assert.Equal((channels, height, width, cellStep, channelStep), (map.Channels, map.Height, map.Width, map.CellStep, map.ChannelStep));
        Assert.Equal(shape is [1, 197, _] ? 768 : 0, map.Start);
    }

    [Theory]
    [InlineData(new long[] { 2, 3, 4, 4 })]
    [InlineData(new long[] { 1, 0, 4, 4 })]
    [InlineData(new long[] { 1, int.MaxValue, int.MaxValue })]
    public void A_tensor_that_is_not_of_one_item_is_refused(long[] shape) =>
        Assert.Equal(PartitioningError.CutRefused, Assert.Throws<PartitioningException>(() => FeatureMap.Of(shape, 224, 224)).Error);

    private static float[] Patches(PatchGrid grid, float[] picture)
    {
        float[] patches = new float[grid.Rows * grid.Columns * grid.Targets];
        for (int cell = 0; cell < grid.Rows * grid.Columns; cell++)
            grid.Read(picture, cell / grid.Columns, cell % grid.Columns, patches.AsSpan(cell * grid.Targets, grid.Targets));
        return patches;
    }

    private static float[] Noise(int count)
    {
        var random = new SplitMix64(count);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.Uniform())];
    }
}
