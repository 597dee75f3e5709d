using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tests.Inversion;

public sealed class PictureFidelityTests
{
    private static readonly PictureSize Size = new(3, 19, 23);

    [Fact]
    public void A_picture_is_itself()
    {
        float[] picture = Noise(1);
        Assert.Equal(PictureFidelity.PsnrLimit, PictureFidelity.Psnr(picture, picture));
        Assert.Equal(1, PictureFidelity.Ssim(picture, picture, Size), 1e-6);
    }

    [Fact]
    public void A_tenth_of_the_range_off_is_twenty_decibels() =>
        Assert.Equal(20, PictureFidelity.Psnr(new float[50], [.. Enumerable.Repeat(0.1f, 50)]), 1e-5);

    [Fact]
    public void Structural_similarity_is_that_of_its_definition()
    {
        float[] a = Noise(2), b = Noise(3);
        for (int i = 0; i < b.Length; i++)
            b[i] = 0.6f * a[i] + 0.4f * b[i];
        double[] kernel = [.. Enumerable.Range(-5, 11).Select(i => Math.Exp(-i * i / 4.5))];
        double total = kernel.Sum(), sum = 0;
        int windows = 0;
        for (int channel = 0; channel < 3; channel++)
            for (int top = 0; top + 11 <= Size.Height; top++)
                for (int left = 0; left + 11 <= Size.Width; left++, windows++)
                {
                    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
                    for (int dy = 0; dy < 11; dy++)
                        for (int dx = 0; dx < 11; dx++)
                        {
                            int at = (channel * Size.Height + top + dy) * Size.Width + left + dx;
                            double weight = kernel[dy] * kernel[dx] / (total * total);
                            mx += weight * a[at];
                            my += weight * b[at];
                            xx += weight * a[at] * a[at];
                            yy += weight * b[at] * b[at];
                            xy += weight * a[at] * b[at];
                        }
                    sum += (2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4) / ((mx * mx + my * my + 1e-4) * (xx - mx * mx + yy - my * my + 9e-4));
                }
        Assert.Equal(sum / windows, PictureFidelity.Ssim(a, b, Size), 1e-4);
    }

    [Fact]
    public void Pictures_smaller_than_the_window_are_compared_as_a_whole()
    {
        var small = new PictureSize(1, 4, 6);
        float[] picture = [.. Noise(5)[..24]];
        Assert.Equal(1, PictureFidelity.Ssim(picture, picture, small), 1e-6);
        Assert.True(PictureFidelity.Ssim(picture, [.. picture.Reverse()], small) < 0.9);
    }

    [Fact]
    public void Pictures_of_other_sizes_are_the_callers_mistake()
    {
        Assert.Throws<ArgumentException>(() => PictureFidelity.Psnr([1], [1, 2]));
        Assert.Throws<ArgumentException>(() => PictureFidelity.Ssim(new float[3], new float[3], Size));
        Assert.Throws<ArgumentException>(() => ReconstructedPicture.Png(new float[3], Size));
    }

    [Fact]
    public void A_pattern_is_enough_to_be_found_and_the_mean_finds_nobody()
    {
        AssessedPicture[] pictures = SyntheticPictures.Make(20, 1);
        float[] mean = [.. Enumerable.Range(0, SyntheticPictures.Size.Elements).Select(i => pictures.Average(picture => picture.Pixels[i]))];
        var identification = new ReIdentification(SyntheticPictures.Size, mean, pictures);
        for (int i = 0; i < pictures.Length; i++)
        {
            // A tenth of the contrast, still the same pattern.
            float[] faint = [.. pictures[i].Pixels.Select((pixel, at) => mean[at] + 0.1f * (pixel - mean[at]))];
            Assert.True(identification.Finds(i, faint));
            Assert.False(identification.Finds((i + 1) % pictures.Length, faint));
            Assert.False(identification.Finds(i, mean));
        }
    }

    [Fact]
    public void Kept_pictures_are_png_files_of_the_pixels()
    {
        float[] pixels = [0, 0.5f, 1, 2, -1, 0.25f, 0, 0, 0, 1, 1, 1];
        Picture read = PngReader.Read(ReconstructedPicture.Png(pixels, new PictureSize(3, 2, 2)));
        Assert.Equal([0, 0, 0, 128, 64, 255, 255, 0, 255, 255, 0, 255], read.Rgb);
        Assert.Equal([128, 128, 128], PngReader.Read(ReconstructedPicture.Png([0.5f], new PictureSize(1, 1, 1))).Rgb);
    }

    private static float[] Noise(int seed)
    {
        var random = new SplitMix64(seed);
        return [.. Enumerable.Range(0, Size.Elements).Select(_ => (float)random.Uniform())];
    }
}
