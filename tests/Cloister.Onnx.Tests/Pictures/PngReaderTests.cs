using Cloister.Onnx.Pictures;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Pictures;

public class PngReaderTests
{
    private static readonly (int Color, int Depth)[] Kinds =
        [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16)];

    public static TheoryData<int, int, bool, bool> AllKinds
    {
        get
        {
            var data = new TheoryData<int, int, bool, bool>();
            foreach ((int color, int depth) in Kinds)
                foreach (bool interlaced in (bool[])[false, true])
                    foreach (bool transparency in color is 0 or 2 or 3 ? (bool[])[false, true] : [false])
                        data.Add(color, depth, interlaced, transparency);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public void EveryKindOfPngIsRead(int color, int depth, bool interlaced, bool transparency)
    {
        for (int seed = 1; seed <= 40; seed++)
        {
            var size = new Random(seed);
            int width = size.Next(1, 20), height = size.Next(1, 20);
            var png = TestPng.Make(width, height, color, depth, interlaced, transparency, seed);
            Picture picture = PngReader.Read(png.Encode());
            Assert.Equal((width, height), (picture.Width, picture.Height));
            Assert.True(picture.Rgb.AsSpan().SequenceEqual(png.ExpectedRgb()), $"seed {seed}, {width} x {height}");
        }
    }

    [SharedDataFact]
    public void ThePhotographsAreReadAndWrittenBack()
    {
        string[] files = Directory.GetFiles(TestData.Path("inputs/images224"), "*.png");
        Assert.Equal(8, files.Length);
        foreach (string file in files)
        {
            Picture picture = PngReader.Read(File.ReadAllBytes(file));
            Assert.Equal((224, 224), (picture.Width, picture.Height));
            Assert.Equal(picture.Rgb, PngReader.Read(PngWriter.Write(picture)).Rgb);
        }
    }

    [Fact]
    public void FuzzedPicturesAreReadOrRefused()
    {
        foreach ((int color, int depth) in Kinds)
        {
            byte[] valid = TestPng.Make(9, 7, color, depth, interlaced: depth == 8, transparency: true, seed: depth).Encode();
            PngReader.Fuzz(valid);
            for (int length = 0; length < valid.Length; length++)
                Assert.Throws<PictureException>(() => PngReader.Read(valid.AsSpan(0, length)));
            for (int seed = 1; seed <= 500; seed++)
                PngReader.Fuzz(Mutate(valid, new Random(seed)));
        }
    }

    /// <summary>Changes chunks and, so that the change gets past the checksum, recomputes it most of the time.</summary>
    private static byte[] Mutate(byte[] valid, Random random)
    {
        byte[] mutated = [.. valid];
        for (int i = random.Next(1, 4); i > 0; i--)
            mutated[random.Next(8, mutated.Length)] ^= (byte)(1 << random.Next(8));
        if (random.Next(8) == 0)
            return mutated;
        var file = new List<byte>(mutated[..8]);
        int at = 8;
        while (at + 12 <= mutated.Length)
        {
            int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(mutated.AsSpan(at));
            if (length < 0 || length > mutated.Length - at - 12)
                break;
            file.AddRange(TestPng.Chunk(System.Text.Encoding.Latin1.GetString(mutated, at + 4, 4).Replace('\u0080', 'z'), mutated.AsSpan(at + 8, length)));
            at += length + 12;
        }

        return [.. file, .. mutated[at..]];
    }
}
