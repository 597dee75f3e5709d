using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Heuristic;

/// <summary>The CIFAR network and its pictures, as attacks take them.</summary>
internal static class ExposureData
{
    public static PictureSize Size { get; } = new(3, 32, 32);

    public static ModelProto Model() => OnnxModel.Parse(File.ReadAllBytes(TestData.Path("models/vision/cifar10-resnet20.onnx")));

    public static AssessedPicture[] Pictures(int count, int skip = 0)
    {
        const int Record = 3073;
        Preprocessing preprocessing = Preprocessing.Parse("imagenet");
        using FileStream file = File.OpenRead(TestData.Path("inputs/cifar10/cifar10_test_2000.bin"));
        file.Position = (long)skip * Record;
        var pictures = new AssessedPicture[count];
        var record = new byte[Record];
        for (int i = 0; i < count; i++)
        {
            file.ReadExactly(record);
            float[] pixels = [.. record.Skip(1).Select(value => value / 255f)];
            var input = new float[3072];
            preprocessing.ToTensor(PixelSpaceOf(pixels), 3, 32, 32, input);
            pictures[i] = new AssessedPicture($"cifar-{skip + i}", input, pixels);
        }
        return pictures;
    }

    /// <summary>A cut by name only: what attacks need of one.</summary>
    public static Cut Named(params string[] tensors) => new()
    {
        Tensors = [.. tensors],
        Shapes = [.. tensors.Select(_ => ImmutableArray<long>.Empty)],
        NodesBefore = 0,
        MacsBefore = 0,
        MacsWhole = 0,
        WeightBytesBefore = 0,
        WeightBytesAfter = 0,
        BoundaryBytes = 0,
        KeepsBits = true,
    };

    private static Picture PixelSpaceOf(float[] pixels) => Partitioning.Heuristic.PixelSpace.ToPicture(pixels, Size);
}
