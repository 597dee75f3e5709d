using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Onnx.Pictures;

namespace Cloister.Onnx.Tests.Pictures;

public class JpegReaderTests
{
    private const int OrientationAt = 0x31;

    public static TheoryData<string, int, int, string> Files
    {
        get
        {
            var data = new TheoryData<string, int, int, string>();
            foreach ((string name, int width, int height, string digest) in JpegFiles.Expected()) data.Add(name, width, height, digest);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryFileGivesThePixelsThatAnotherDecoderGives(string name, int width, int height, string digest)
    {
        Picture picture = PictureFile.Read(name.StartsWith("turned-", StringComparison.Ordinal) ? Turned(int.Parse(name[7..], null)) : JpegFiles.Read(name));
        Assert.Equal((width, height), (picture.Width, picture.Height));
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(picture.Rgb)));
    }

    [Fact]
    public void ThereIsAFileForEachExpectation() => Assert.Equal(33, Files.Count);

    [Fact]
    public void WhatFollowsThePictureIsPassedOver()
    {
        byte[] file = JpegFiles.Read("odd-2x2");
        byte[] pixels = JpegReader.Read(file).Rgb;
        Assert.Equal(pixels, JpegReader.Read([.. file, .. "and a film"u8]).Rgb);
        Assert.Equal(pixels, JpegReader.Read([.. file, .. JpegFiles.Read("odd-1x1")]).Rgb);
    }

    [Fact]
    public void FillBytesMayStandBeforeAnyMarker()
    {
        byte[] file = JpegFiles.Read("restart-420");
        var filled = new List<byte>(file[..2]);
        for (int i = 2; i < file.Length; i++)
        {
            bool marker = file[i] == 0xff && i + 1 < file.Length && file[i + 1] is >= 0xd0 and not 0xff;
            filled.AddRange(marker ? [0xff, 0xff, 0xff] : [file[i]]);
        }

        Assert.True(filled.Count > file.Length + 16);
        Assert.Equal(JpegReader.Read(file).Rgb, JpegReader.Read(filled.ToArray()).Rgb);
    }

    [Theory]
    [InlineData(0x1e, (byte)'X')]
    [InlineData(0x21, (byte)0x2b)]
    [InlineData(0x22, (byte)0xff)]
    [InlineData(0x25, (byte)0x70)]
    [InlineData(0x26, (byte)0xff)]
    [InlineData(0x2b, (byte)4)]
    [InlineData(OrientationAt, (byte)0)]
    [InlineData(OrientationAt, (byte)9)]
    [InlineData(OrientationAt - 1, (byte)1)]
    public void AnExifSegmentThatCannotBeReadIsAsIfItWereAbsent(int at, byte value)
    {
        byte[] file = JpegFiles.Read("turned");
        file[at] = value;
        byte[] upright = JpegReader.Read(JpegFiles.Read("odd-2x2")).Rgb;
        Assert.Equal(at is 0x26 ? JpegReader.Read(JpegFiles.Read("turned")).Rgb : upright, JpegReader.Read(file).Rgb);
    }

    [Fact]
    public void ExifMayBeLittleEndianAndOnlyTheFirstCounts()
    {
        byte[] plain = JpegFiles.Read("odd-2x2"), six = JpegReader.Read(Turned(6)).Rgb;
        Assert.Equal(six, JpegReader.Read([.. plain[..2], .. Exif(6), .. plain[2..]]).Rgb);
        Assert.Equal(six, JpegReader.Read([.. plain[..2], .. Exif(6), .. Exif(3), .. plain[2..]]).Rgb);
        for (int length = 0; length < 26; length++)
            Assert.Equal(JpegReader.Read(plain).Rgb, JpegReader.Read([.. plain[..2], .. TestJpeg.Segment(0xe1, Exif(6).AsSpan(4, length)), .. plain[2..]]).Rgb);
    }

    [Fact]
    public void SamplesOfAnyRatioAreTheNearestOnes()
    {
        int[][] factors = [[3, 2, 2, 1, 1, 1], [4, 1, 3, 1, 1, 1], [1, 3, 1, 2, 1, 1], [1, 1, 2, 4, 1, 1], [4, 1, 1, 3, 1, 1], [1, 4, 3, 1, 1, 1]];
        for (int seed = 1; seed <= 120; seed++)
        {
            var random = new Random(seed);
            TestJpeg jpeg = TestJpeg.Make(random.Next(1, 70), random.Next(1, 70), factors[seed % factors.Length], random);
            Picture picture = JpegReader.Read(jpeg.Encode());
            Assert.Equal((jpeg.Width, jpeg.Height), (picture.Width, picture.Height));
            Assert.True(picture.Rgb.AsSpan().SequenceEqual(jpeg.ExpectedRgb()), $"seed {seed}");
        }
    }

    [Fact]
    public void FilesCutOffAnywhereAreRefusedAsSuch()
    {
        foreach (string name in (string[])["odd-2x2", "odd-progressive", "dot", "dot-progressive", "turned", "restart-420", "progressive-restart-420"])
        {
            byte[] file = JpegFiles.Read(name);
            for (int length = 0; length < file.Length; length++)
                Assert.Equal(length < 3 ? PictureError.NotJpeg : PictureError.Truncated, Assert.Throws<PictureException>(() => JpegReader.Read(file.AsSpan(0, length))).Error);
        }
    }

    [Fact]
    public void FuzzedPicturesAreReadOrRefused()
    {
        foreach ((string name, _, _, _) in JpegFiles.Expected().Where(file => !file.Name.StartsWith("turned-", StringComparison.Ordinal)))
        {
            byte[] valid = JpegFiles.Read(name);
            JpegReader.Fuzz(valid);
            for (int seed = 1; seed <= 150; seed++)
            {
                var random = new Random(seed);
                byte[] mutated = [.. valid];
                for (int i = random.Next(1, 4); i > 0; i--)
                    mutated[random.Next(2, mutated.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)(mutated[random.Next(2, mutated.Length)] ^ 1 << random.Next(8));
                JpegReader.Fuzz(mutated);
                int cut = random.Next(2, valid.Length), from = random.Next(2, valid.Length);
                JpegReader.Fuzz([.. valid[..cut], .. valid[from..]]);
            }
        }
    }

    private static byte[] Turned(int orientation)
    {
        byte[] file = JpegFiles.Read("turned");
        Assert.Equal(6, BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(OrientationAt - 1)));
        file[OrientationAt] = (byte)orientation;
        return file;
    }

    private static byte[] Exif(byte orientation) => TestJpeg.Segment(0xe1,
        [.. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
}
