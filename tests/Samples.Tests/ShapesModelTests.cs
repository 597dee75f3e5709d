using System.Text.Json;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Samples.Shapes;
using Cloister.Samples.Shapes.Drawing;
using Cloister.Samples.Shapes.Learning;

namespace Cloister.Samples.Tests;

/// <summary>The committed model in ONNX Runtime.</summary>
public sealed class ShapesModelTests
{
    private const int Batch = 50;
    private static int Labels => Outlines.Labels.Count;

    [Fact]
    public void AtLeast98PercentOf2000HeldOutDrawingsAreNamedRightly()
    {
        using var session = OrtSession.FromMemory(ShapesFolder.Read(Artefacts.Model));
        Assert.Equal("image: Float[-1,3,32,32]", Assert.Single(session.Inputs).ToString());
        Assert.Equal("probabilities: Float[-1,10]", Assert.Single(session.Outputs).ToString());
        using var images = OrtTensor.Allocate<float>([Batch, 3, Canvas.Size, Canvas.Size]);
        using var output = OrtTensor.Allocate<float>([Batch, Labels]);
        int correct = 0, pixels = 3 * Canvas.Size * Canvas.Size;
        for (int start = 0; start < Trainer.HeldOut; start += Batch)
        {
            for (int i = 0; i < Batch; i++)
                ShapeTensor.Fill(ShapeDrawing.Draw(Trainer.HeldOutSeed, start + i), images.Span<float>().Slice(i * pixels, pixels));
            session.Run([images], [output]);
            for (int i = 0; i < Batch; i++)
            {
                ReadOnlySpan<float> probabilities = output.Span<float>().Slice(i * Labels, Labels);
                if (Best(probabilities)[0] == ShapeDrawing.LabelOf(start + i))
                    correct++;
            }
        }

        Assert.InRange(correct, Trainer.HeldOut * 98 / 100, Trainer.HeldOut);
    }

    [Fact]
    public void TheSamplePicturesGetTheExpectedTopFive()
    {
        using var session = OrtSession.FromMemory(ShapesFolder.Read(Artefacts.Model));
        using var image = OrtTensor.Allocate<float>([1, 3, Canvas.Size, Canvas.Size]);
        using var output = OrtTensor.Allocate<float>([1, Labels]);
        using var expected = JsonDocument.Parse(ShapesFolder.Read("model/expected.json"));
        string[] labels = System.Text.Encoding.UTF8.GetString(ShapesFolder.Read("model/labels.txt")).TrimEnd('\n').Split('\n');
        Assert.Equal(Outlines.Labels, labels);
        JsonProperty[] pictures = [.. expected.RootElement.GetProperty("images").EnumerateObject()];
        Assert.Equal(10, pictures.Length);
        foreach (JsonProperty picture in pictures)
        {
            ShapeTensor.Fill(PngReader.Read(ShapesFolder.Read("pictures/" + picture.Name)), image.Span<float>());
            session.Run([image], [output]);
            int[] best = Best(output.Span<float>());
            JsonElement[] wanted = [.. picture.Value.EnumerateArray()];
            Assert.Equal(wanted.Select(entry => entry.GetProperty("index").GetInt32()), best[..5]);
            foreach ((JsonElement entry, int label) in wanted.Zip(best))
            {
                Assert.Equal(entry.GetProperty("p").GetDouble(), output.Span<float>()[label], 1e-5);
                Assert.Equal(entry.GetProperty("label").GetString(), labels[label]);
            }

            Assert.Equal(picture.Name, labels[best[0]] + ".png");
        }
    }

    private static int[] Best(ReadOnlySpan<float> probabilities)
    {
        float[] values = probabilities.ToArray();
        return [.. Enumerable.Range(0, values.Length).OrderByDescending(label => values[label])];
    }
}
