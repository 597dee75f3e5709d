using Cloister.Images.Build;

namespace Cloister.Tests;

public sealed class ImageLayoutTests
{
    [Fact]
    public void The_files_of_an_image_have_names_of_their_own() =>
        Assert.Equal(5, new HashSet<string>([ImageLayout.Uki, ImageLayout.Root, ImageLayout.Measurements, ImageLayout.Definition, ImageLayout.Lock]).Count);
}
