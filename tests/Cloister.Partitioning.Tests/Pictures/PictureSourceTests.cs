using System.Text;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Pictures;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Pictures;

public sealed class PictureSourceTests : IDisposable
{
    private readonly TestFolder _folder = new();

    [Fact]
    public void Pictures_of_every_kind_come_from_nested_folders_and_junk_is_named()
    {
        Directory.CreateDirectory(_folder["inner/deeper"]);
        for (int i = 0; i < 6; i++) File.WriteAllBytes(_folder[$"inner/{i}.png"], PngWriter.Write(Random(i, 40, 20)));
        File.WriteAllBytes(_folder["inner/deeper/p.ppm"], Ppm(Random(50, 8, 8)));
        File.WriteAllBytes(_folder["two.bin"], [.. Cifar(1), .. Cifar(2)]);
        File.WriteAllText(_folder["notes.txt"], "no picture");
        File.WriteAllText(_folder["empty.png"], "");
        File.WriteAllBytes(_folder["photo.jpg"], [0xff, 0xd8, 0xff, 0xe0, 0, 16]);
        File.WriteAllBytes(_folder["odd.bin"], new byte[3074]);
        PartitioningException refusal = Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(fit: 8, test: 2)));
        Assert.Equal(PartitioningError.PicturesRefused, refusal.Error);
        Assert.Contains("9 different pictures where 8 to fit and 2 to test", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("4 files are no pictures", refusal.Message, StringComparison.Ordinal);

        PictureSet set = PictureSource.Read(Request(fit: 7, test: 2));
        Assert.Equal((7, 2, 13, 0), (set.Fit.Length, set.Test.Length, set.Candidates, set.Duplicates));
        Assert.All(set.Skipped, skip => Assert.Contains(": ", skip, StringComparison.Ordinal));
        Assert.All(set.Fit.Concat(set.Test), picture => Assert.Equal((3 * 8 * 8, 3 * 8 * 8), (picture.Input.Length, picture.Pixels.Length)));
    }

    [Fact]
    public void Photographs_are_read_and_a_damaged_one_is_named()
    {
        string folder = Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Onnx.Tests", "Pictures", "Jpeg");
        foreach (string name in (string[])["baseline-444", "progressive-grey", "turned"]) File.Copy(Path.Combine(folder, name + ".jpg"), _folder[name + ".JPG"]);
        File.WriteAllBytes(_folder["cut.jpg"], File.ReadAllBytes(Path.Combine(folder, "baseline-grey.jpg"))[..^9]);
        PictureSet set = PictureSource.Read(Request(1, 2));
        Assert.Equal((1, 2, 4), (set.Fit.Length, set.Test.Length, set.Candidates));
        string text = Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(2, 2))).Message;
        Assert.Contains("cut.jpg: The file ends before the picture does", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Copies_with_a_little_noise_or_shade_are_the_same_picture()
    {
        Picture picture = Random(1, 8, 8);
        for (int i = 0; i < 20; i++)
        {
            var noise = new Random(i);
            byte[] rgb = [.. picture.Rgb.Select(value => (byte)Math.Clamp(value + noise.Next(-2, 3) + (i % 3), 0, 255))];
            File.WriteAllBytes(_folder[$"{i}.png"], PngWriter.Write(new Picture(8, 8, rgb)));
        }
        var refusal = Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(10, 5)));
        Assert.Equal(PartitioningError.PicturesRefused, refusal.Error);
        Assert.Contains("There are 1 different pictures", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("(19 more are the same", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_picture_is_taken_once_whatever_file_it_is_in()
    {
        Picture picture = Random(1, 8, 8);
        File.WriteAllBytes(_folder["a.png"], PngWriter.Write(picture));
        File.WriteAllBytes(_folder["b.png"], PngWriter.Write(picture));
        File.WriteAllBytes(_folder["c.ppm"], Ppm(picture));
        for (int i = 0; i < 3; i++) File.WriteAllBytes(_folder[$"{i}.png"], PngWriter.Write(Random(10 + i, 8, 8)));
        PartitioningException refusal = Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(3, 2)));
        Assert.Contains("4 different pictures", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("(2 more are the same as one of these", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_seed_alone_decides_which_are_taken()
    {
        for (int i = 0; i < 12; i++) File.WriteAllBytes(_folder[$"{i}.png"], PngWriter.Write(Random(i, 8, 8)));
        PictureSet first = PictureSource.Read(Request(4, 2)), again = PictureSource.Read(Request(4, 2)), other = PictureSource.Read(Request(4, 2) with { Seed = 2 });
        Assert.Equal(first.Digest, again.Digest);
        Assert.Equal(first.Fit.Select(picture => picture.Name), again.Fit.Select(picture => picture.Name));
        Assert.NotEqual(first.Digest, other.Digest);
        Assert.Empty(first.Fit.Select(picture => picture.Name).Intersect(first.Test.Select(picture => picture.Name)));
    }

    [Fact]
    public void Pixels_and_inputs_are_those_of_the_picture()
    {
        byte[] rgb = new byte[3 * 64];
        for (int i = 0; i < 64; i++) (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = (255, 128, 0);
        for (int i = 0; i < 3; i++)
        {
            for (int x = 56; x < 64; x++) rgb[3 * x] = (byte)(100 * i);
            File.WriteAllBytes(_folder[$"{i}.png"], PngWriter.Write(new Picture(8, 8, rgb)));
        }
        AssessedPicture picture = PictureSource.Read(Request(1, 2) with { Preprocessing = Preprocessing.Parse("bgr-mean") }).Fit[0];
        Assert.Equal(1f, picture.Pixels[1]);
        Assert.Equal(0f, picture.Pixels[2 * 64 + 1]);
        Assert.Equal(-103.939f, picture.Input[1]);
        AssessedPicture grey = PictureSource.Read(Request(1, 2) with { Size = new PictureSize(1, 8, 8), Preprocessing = Preprocessing.Parse("grey-unit") }).Fit[0];
        Assert.Equal((0.299f * 255 + 0.587f * 128) / 255, grey.Pixels[1], 1e-5);
    }

    [Fact]
    public void What_does_not_fit_the_model_is_the_models_refusal()
    {
        for (int i = 0; i < 3; i++) File.WriteAllBytes(_folder[$"{i}.png"], PngWriter.Write(Random(i, 8, 8)));
        Assert.Equal(PartitioningError.ModelRefused, Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(1, 2) with { Preprocessing = Preprocessing.Parse("grey-unit") })).Error);
        PartitioningException refusal = Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(1, 2) with { Paths = [_folder["absent"]] }));
        Assert.Contains("is not there", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(PartitioningError.PicturesRefused, Assert.Throws<PartitioningException>(() => PictureSource.Read(Request(1_000_000, 2) with { Size = new PictureSize(3, 512, 512) })).Error);
        Assert.Throws<ArgumentOutOfRangeException>(() => PictureSource.Read(Request(0, 2)));
    }

    [Fact]
    public void Links_to_folders_are_not_entered()
    {
        for (int i = 0; i < 3; i++) File.WriteAllBytes(_folder[$"{i}.png"], PngWriter.Write(Random(i, 8, 8)));
        Directory.CreateSymbolicLink(_folder["loop"], _folder.Path);
        Assert.Equal(3, PictureSource.Read(Request(1, 2)).Candidates);
    }

    [Theory]
    [InlineData("P6 1 1 255 abc", true)]
    [InlineData("P6\n# words\n1 1\n255\nabc", true)]
    [InlineData("P5 1 1 255 a", true)]
    [InlineData("P6 1 1 255 ab", false)]
    [InlineData("P6 1 1 255 abcd", false)]
    [InlineData("P6 1 1 65535 abcdef", false)]
    [InlineData("P6 1 1 255", false)]
    [InlineData("P6 0 1 255 ", false)]
    [InlineData("P6 99999999 1 255 abc", false)]
    [InlineData("P6 16384 16384 255 abc", false)]
    [InlineData("P6 1 1 64 abc", false)]
    [InlineData("P3 1 1 255 1 2 3", false)]
    public void A_ppm_is_read_whole_or_refused(string text, bool read)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        if (read) Assert.Equal((1, 1), (PpmReader.Read(bytes).Width, PpmReader.Read(bytes).Height));
        else Assert.Equal(PartitioningError.PicturesRefused, Assert.Throws<PartitioningException>(() => PpmReader.Read(bytes)).Error);
        var random = new Random(3);
        for (int i = 0; i < 500; i++)
        {
            byte[] mutated = (byte[])bytes.Clone();
            mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            PpmReader.Fuzz(mutated.AsSpan(0, random.Next(mutated.Length + 1)));
        }
    }

    public void Dispose() => _folder.Dispose();

    private PictureRequest Request(int fit, int test) => new()
    {
        Paths = [_folder.Path],
        Size = new PictureSize(3, 8, 8),
        Preprocessing = Preprocessing.Parse("unit"),
        Fit = fit,
        Test = test,
    };

    private static Picture Random(int seed, int width, int height)
    {
        byte[] rgb = new byte[3 * width * height];
        new Random(seed).NextBytes(rgb);
        return new Picture(width, height, rgb);
    }

    private static byte[] Ppm(Picture picture) => [.. Encoding.ASCII.GetBytes($"P6\n{picture.Width} {picture.Height}\n255\n"), .. picture.Rgb];

    private static byte[] Cifar(int seed)
    {
        byte[] record = new byte[3073];
        new Random(seed).NextBytes(record);
        return record;
    }
}
