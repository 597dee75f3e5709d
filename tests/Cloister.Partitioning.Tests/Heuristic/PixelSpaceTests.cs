using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Heuristic;

namespace Cloister.Partitioning.Tests.Heuristic;

public sealed class PixelSpaceTests
{
    [Fact]
    public void A_map_spreads_from_black_to_white_whatever_its_values()
    {
        Picture picture = PixelSpace.Project([-3f, 1f, 5f, -1f], 2, 2, 2, 2, out bool constant);
        Assert.False(constant);
        Assert.Equal([0, 128, 255, 64], Red(picture));
        Assert.Equal(Red(picture), picture.Rgb.Where((_, i) => i % 3 == 1));
        Assert.Equal(Red(picture), picture.Rgb.Where((_, i) => i % 3 == 2));
    }

    [Fact]
    public void A_map_is_scaled_between_its_nearest_values()
    {
        // Centres at halves: columns at 0 (clamped), 1/4, 3/4, 1 of the way from the first value to the second.
        Assert.Equal([0, 64, 191, 255], Red(PixelSpace.Project([0f, 1f], 1, 2, 1, 4, out _)));
        Assert.Equal([0, 0, 64, 64, 191, 191, 255, 255], Red(PixelSpace.Project([0f, 1f], 2, 1, 4, 2, out _)));
    }

    [Fact]
    public void A_constant_map_is_black_and_said_to_be_constant()
    {
        Picture picture = PixelSpace.Project([7f, 7f, 7f, 7f], 2, 2, 3, 3, out bool constant);
        Assert.True(constant);
        Assert.All(picture.Rgb, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Values_of_any_size_do_not_overflow()
    {
        Picture picture = PixelSpace.Project([float.MinValue, 0, float.MaxValue], 1, 3, 1, 3, out bool constant);
        Assert.False(constant);
        Assert.Equal([0, 128, 255], Red(picture));
    }

    [Fact]
    public void Pixels_of_an_assessment_become_bytes()
    {
        Assert.Equal([0, 128, 255, 255, 64, 0], PixelSpace.ToPicture([0, 1, 0.5f, 0.25f, 1, 0], new PictureSize(3, 1, 2)).Rgb);
        Assert.Equal([0, 0, 0, 255, 255, 255], PixelSpace.ToPicture([0, 1], new PictureSize(1, 1, 2)).Rgb);
        Assert.Throws<ArgumentException>(() => PixelSpace.ToPicture([0, 1, 2], new PictureSize(1, 1, 2)));
    }

    private static byte[] Red(Picture picture) => [.. picture.Rgb.Where((_, i) => i % 3 == 0)];
}
