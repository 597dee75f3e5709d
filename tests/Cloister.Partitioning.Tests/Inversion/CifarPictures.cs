using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Tests;

namespace Cloister.Partitioning.Tests.Inversion;

/// <summary>Pictures of the shared CIFAR file, as a model of the same size reads them.</summary>
internal static class CifarPictures
{
    public static PictureSize Size => new(3, 32, 32);

    public static AssessedPicture[] Read(int start, int count, string preprocessing = "imagenet")
    {
        const int Side = 32, Plane = Side * Side, Record = 1 + 3 * Plane;
        using FileStream file = File.OpenRead(TestData.Path("inputs/cifar10/cifar10_test_2000.bin"));
        file.Position = (long)start * Record;
        byte[] record = new byte[Record];
        var pictures = new AssessedPicture[count];
        for (int i = 0; i < count; i++)
        {
            file.ReadExactly(record);
            byte[] rgb = new byte[3 * Plane];
            for (int pixel = 0; pixel < Plane; pixel++)
                for (int channel = 0; channel < 3; channel++)
                    rgb[3 * pixel + channel] = record[1 + channel * Plane + pixel];
            var picture = new Picture(Side, Side, rgb);
            float[] input = new float[Size.Elements], pixels = new float[Size.Elements];
            Preprocessing.Parse(preprocessing).ToTensor(picture, 3, Side, Side, input);
            Preprocessing.Parse("unit").ToTensor(picture, 3, Side, Side, pixels);
            pictures[i] = new AssessedPicture($"cifar {start + i}", input, pixels);
        }
        return pictures;
    }
}
