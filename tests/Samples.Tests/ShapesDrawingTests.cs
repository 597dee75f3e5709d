using System.Security.Cryptography;
using Cloister.Samples.Shapes;
using Cloister.Samples.Shapes.Drawing;

namespace Cloister.Samples.Tests;

public sealed class ShapesDrawingTests
{
    [Fact]
    public void TheSameSeedDrawsTheSamePixelsEverywhere()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int index = 0; index < 200; index++)
            hash.AppendData(ShapeDrawing.Draw(seed: 1, index).Rgb);
        Assert.Equal("300111cd100ba7f77581e40ee30118ae3e86b3d7c90660a1ea9185d360813b23", Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    [Fact]
    public void ExactFunctionsAgreeWithThePlatformsToTheLastDigits()
    {
        for (double x = -40; x <= 40; x += 0.00917)
        {
            Assert.Equal(1, ExactMath.Exp(x) / Math.Exp(x), 1e-14);
            (double sin, double cos) = ExactMath.SinCos(x);
            Assert.Equal(Math.Sin(x), sin, 1e-14);
            Assert.Equal(Math.Cos(x), cos, 1e-14);
        }

        Assert.Equal(0, ExactMath.Exp(-1000));
        Assert.Equal(1, ExactMath.Exp(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ExactMath.Exp(701));
    }

    [Fact]
    public void OutlinesStayInsideTheUnitCircle()
    {
        foreach (Point[] outline in Outlines.All)
            Assert.All(outline, corner => Assert.InRange(corner.X * corner.X + corner.Y * corner.Y, 0, 1.0001));
    }

    [Fact]
    public void ACanvasCountsCoveredSamples()
    {
        var canvas = new Canvas();
        canvas.Fill([new(1, 1), new(3.5, 1), new(3.5, 2.25), new(1, 2.25)]);
        Assert.Equal([0, 16, 16, 8, 0], Enumerable.Range(0, 5).Select(x => canvas.Covered(x, 1)));
        Assert.Equal([0, 4, 4, 2, 0], Enumerable.Range(0, 5).Select(x => canvas.Covered(x, 2)));
        canvas.Fill([new(-5, -5), new(40, -5), new(40, 40), new(-5, 40)]);
        Assert.All(Enumerable.Range(0, Canvas.Size), i => Assert.Equal(Canvas.SamplesPerPixel, canvas.Covered(i, Canvas.Size - 1 - i)));
    }

    [Theory]
    [InlineData]
    [InlineData("train")]
    [InlineData("train", "--out")]
    [InlineData("train", "--out", "x", "--out", "y")]
    [InlineData("check", "--out", "x")]
    [InlineData("draw", "--out", "x", "--count", "-1")]
    [InlineData("draw", "--out", "x", "--count", "many")]
    [InlineData("paint", "--out", "x")]
    public void WrongUseIsAnsweredWithTheUsageAndTwo(params string[] arguments) => Assert.Equal(2, Program.Main(arguments));

    [Fact]
    public void DrawWritesAsManyPicturesAsAsked()
    {
        string folder = Directory.CreateTempSubdirectory("shapes-").FullName;
        try
        {
            Assert.Equal(0, Program.Main(["draw", "--out", folder, "--count", "3", "--seed", "9"]));
            Assert.Equal(["0000-circle.png", "0001-triangle.png", "0002-square.png"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
