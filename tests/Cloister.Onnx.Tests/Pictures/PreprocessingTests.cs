using Cloister.Onnx.Pictures;

namespace Cloister.Onnx.Tests.Pictures;

public class PreprocessingTests
{
    private static readonly Picture TwoPixels = new(2, 1, [255, 128, 0, 10, 20, 30]);

    [Theory]
    [InlineData("unit", new float[] { 1, 10 / 255f, 128 / 255f, 20 / 255f, 0, 30 / 255f })]
    [InlineData("signed-unit", new float[] { 1, 10 / 127.5f - 1, 128 / 127.5f - 1, 20 / 127.5f - 1, -1, 30 / 127.5f - 1 })]
    [InlineData("raw", new float[] { 255, 10, 128, 20, 0, 30 })]
    [InlineData("bgr-mean", new float[] { -103.939f, 30 - 103.939f, 128 - 116.779f, 20 - 116.779f, 255 - 123.68f, 10 - 123.68f })]
    [InlineData("imagenet", new float[] { (1 - 0.485f) / 0.229f, (10 / 255f - 0.485f) / 0.229f, (128 / 255f - 0.456f) / 0.224f, (20 / 255f - 0.456f) / 0.224f, -0.406f / 0.225f, (30 / 255f - 0.406f) / 0.225f })]
    public void ChannelsComeAsPlanesInTheNamedScale(string name, float[] expected)
    {
        float[] tensor = new float[6];
        Preprocessing.Parse(name).ToTensor(TwoPixels, 3, 1, 2, tensor);
        Assert.Equal(expected, tensor);
    }

    [Theory]
    [InlineData("grey-unit", 255f)]
    [InlineData("raw", 1f)]
    public void OneChannelIsLuma(string name, float scale)
    {
        float[] tensor = new float[2];
        Preprocessing.Parse(name).ToTensor(TwoPixels, 1, 1, 2, tensor);
        Assert.Equal([(0.299f * 255 + 0.587f * 128) / scale, (0.299f * 10 + 0.587f * 20 + 0.114f * 30) / scale], tensor);
    }

    [Fact]
    public void ResizingStretchesToTheModelsSize()
    {
        var picture = new Picture(2, 2, [0, 0, 0, 100, 100, 100, 200, 200, 200, 40, 40, 40]);
        float[] tensor = new float[48];
        Preprocessing.Parse("raw").ToTensor(picture, 3, 4, 4, tensor, ResizeMode.Nearest);
        Assert.Equal([0, 0, 100, 100, 0, 0, 100, 100, 200, 200, 40, 40, 200, 200, 40, 40], tensor[..16]);
        Preprocessing.Parse("raw").ToTensor(picture, 3, 4, 4, tensor, ResizeMode.Bilinear);
        Assert.Equal([0, 25, 75, 100, 50, 59, 76, 85, 150, 126, 79, 55, 200, 160, 80, 40], tensor[..16]);
        float[] one = new float[3];
        Preprocessing.Parse("raw").ToTensor(picture, 3, 1, 1, one, ResizeMode.Bilinear);
        Assert.Equal([85, 85, 85], one);
    }

    [Fact]
    public void ShrinkingSmoothlyCountsEachPixel()
    {
        var row = new Picture(4, 1, [.. new byte[] { 0, 100, 200, 40 }.SelectMany(value => new byte[] { value, value, 255 })]);
        float[] tensor = new float[6];
        Preprocessing.Parse("raw").ToTensor(row, 3, 1, 2, tensor, ResizeMode.Smooth);
        // Shares 3, 3, 1 of seven, and 1, 3, 3: (0 + 300 + 200) / 7 and (100 + 600 + 120) / 7.
        Assert.Equal([71, 117, 71, 117, 255, 255], tensor);
        for (int seed = 1; seed <= 50; seed++)
        {
            var random = new Random(seed);
            int width = random.Next(1, 9), height = random.Next(1, 9), wider = width + random.Next(9), higher = height + random.Next(9);
            byte[] rgb = new byte[3 * width * height];
            random.NextBytes(rgb);
            float[] smooth = new float[3 * wider * higher], bilinear = new float[smooth.Length];
            Preprocessing.Parse("raw").ToTensor(new Picture(width, height, rgb), 3, higher, wider, smooth, ResizeMode.Smooth);
            Preprocessing.Parse("raw").ToTensor(new Picture(width, height, rgb), 3, higher, wider, bilinear, ResizeMode.Bilinear);
            Assert.All(smooth.Zip(bilinear), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1));
        }
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        Preprocessing unit = Preprocessing.Parse("unit"), grey = Preprocessing.Parse("grey-unit");
        Assert.Equal(PictureError.UnknownPreprocessing, Assert.Throws<PictureException>(() => Preprocessing.Parse("Unit")).Error);
        Assert.Equal(PictureError.WrongSize, Assert.Throws<PictureException>(() => unit.ToTensor(TwoPixels, 3, 2, 1, new float[6])).Error);
        Assert.Equal(PictureError.WrongChannels, Assert.Throws<PictureException>(() => unit.ToTensor(TwoPixels, 1, 1, 2, new float[2])).Error);
        Assert.Equal(PictureError.WrongChannels, Assert.Throws<PictureException>(() => grey.ToTensor(TwoPixels, 3, 1, 2, new float[6])).Error);
        Assert.Throws<ArgumentException>(() => unit.ToTensor(TwoPixels, 3, 1, 2, new float[5]));
        Assert.Throws<ArgumentException>(() => new Picture(2, 2, new byte[11]));
        Assert.Equal(["unit", "signed-unit", "imagenet", "bgr-mean", "grey-unit", "raw"], Preprocessing.Names);
    }
}
