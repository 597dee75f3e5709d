using System.Text.Json;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Runtime;

public class RealModelTests
{
    public static TheoryData<string> Pictures => new("bird", "burger", "cat", "dragonfly", "hot_dog", "kitten", "parrot", "pets");

    [SharedDataFact]
    public void HalfPlusTwoAnswersAsTensorFlowServingsContractSays()
    {
        using var session = Load("models/serving/half_plus_two.onnx");
        using var input = OrtTensor.OverPinned<float>(new float[] { 1, 2, 5 }, [3]);
        using OrtTensor output = Assert.Single(session.Run(new Dictionary<string, OrtTensor> { ["x"] = input }));
        Assert.Equal([2.5f, 3f, 4.5f], output.Span<float>());
        Assert.Equal([3], output.Shape);
    }

    [SharedDataFact]
    public void MnistReadsAStrokeAndARing()
    {
        using var session = Load("models/vision/mnist.onnx");
        Assert.Equal("Input3: Float[1,1,28,28]", Assert.Single(session.Inputs).ToString());
        Assert.Equal("Plus214_Output_0: Float[1,10]", Assert.Single(session.Outputs).ToString());

        Assert.Equal(1, Digit(session, (x, y) => x is 13 or 14 or 15 && y is > 4 and < 24));
        Assert.Equal(0, Digit(session, (x, y) => Math.Sqrt(Math.Pow(x - 13.5, 2) + Math.Pow((y - 13.5) * 0.8, 2)) is > 5 and < 8));
    }

    [SharedDataTheory]
    [MemberData(nameof(Pictures))]
    public void SqueezenetsTopFiveAreTheExpectedOnes(string picture)
    {
        using var session = Load("models/vision/squeezenet1.1-224.onnx");
        using var input = OrtTensor.Allocate<float>([1, 3, 224, 224]);
        using var output = OrtTensor.Allocate<float>([1, 1000, 1, 1]);
        Picture pixels = PngReader.Read(File.ReadAllBytes(TestData.Path($"inputs/images224/{picture}.png")));
        Preprocessing.Parse("bgr-mean").ToTensor(pixels, 3, 224, 224, input.Span<float>());

        session.Run([input], [output]);

        using var expected = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("models/vision/squeezenet1.1-224.expected.json")));
        float[] probabilities = output.Span<float>().ToArray();
        int[] topFive = [.. Enumerable.Range(0, 1000).OrderByDescending(i => probabilities[i]).Take(5)];
        JsonElement[] wanted = [.. expected.RootElement.GetProperty("images").GetProperty(picture + ".png").EnumerateArray()];
        Assert.Equal(wanted.Select(w => w.GetProperty("index").GetInt32()), topFive);
        Assert.All(wanted.Zip(topFive), pair => Assert.Equal(pair.First.GetProperty("p").GetDouble(), probabilities[pair.Second], 2e-4));
    }

    [SharedDataFact]
    public void HalfPrecisionTensorsOfAnOldModelRun()
    {
        using var session = Load("models/vision/SqueezeNet_fp16.onnx");
        TensorInfo wanted = Assert.Single(session.Inputs); // weights listed as inputs, as IR 3 does, are none
        Assert.Equal(TensorElementType.Float16, wanted.Type);
        using var input = OrtTensor.Allocate<Half>([1, 3, 224, 224]);
        OrtTensor[] outputs = session.Run(new Dictionary<string, OrtTensor> { [wanted.Name] = input });
        using OrtTensor output = Assert.Single(outputs);
        Assert.Equal(1, output.Span<Half>().ToArray().Sum(p => (double)p), 0.05);
    }

    private static int Digit(OrtSession session, Func<int, int, bool> ink)
    {
        float[] pixels = [.. from y in Enumerable.Range(0, 28) from x in Enumerable.Range(0, 28) select ink(x, y) ? 255f : 0f];
        using var input = OrtTensor.OverPinned<float>(pixels, [1, 1, 28, 28]);
        using var output = OrtTensor.Allocate<float>([1, 10]);
        session.Run([input], [output]);
        float[] scores = output.Span<float>().ToArray();
        return Array.IndexOf(scores, scores.Max());
    }

    private static OrtSession Load(string model) => OrtSession.FromMemory(File.ReadAllBytes(TestData.Path(model)));
}
