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

    public static TheoryData<string> Files => TestData.Folder is null
        ? ["absent"]
        : [.. Directory.EnumerateFiles(TestData.Path("models"), "*.onnx", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(TestData.Path("models"), path)).Order(StringComparer.Ordinal)];

    [SharedDataTheory]
    [MemberData(nameof(Files))]
    public void EveryModelAnswersAlikeWhereverItsWeightsLie(string file)
    {
        byte[] bytes = File.ReadAllBytes(TestData.Path(Path.Combine("models", file)));
        using var buffer = PinnedBuffer.Allocate(bytes.Length);
        bytes.CopyTo(buffer.Span(0, bytes.Length));
        OrtSession plain, placed;
        try
        {
            plain = OrtSession.FromMemory(bytes);
        }
        catch (OnnxRuntimeException refused)
        {
            // ONNX Runtime or the binding takes it neither way.
            Assert.Equal(refused.Error, Assert.Throws<OnnxRuntimeException>(() => OrtSession.FromPinned(buffer)).Error);
            return;
        }
        using (plain)
        using (placed = OrtSession.FromPinned(buffer))
        {
            (List<float> Numbers, List<string> Others) one = Answer(plain), other = Answer(placed);
            Assert.Equal(one.Others, other.Others);
            Assert.Equal(one.Numbers.Count, other.Numbers.Count);
            // Packed and plain kernels sum in another order.
            Assert.All(one.Numbers.Zip(other.Numbers), pair => Assert.Equal(pair.First, pair.Second, 1e-3f + Math.Abs(pair.First) * 1e-3f));
        }
    }

    // What the model says to small fractions, and to zeros where it takes no fractions.
    private static (List<float> Numbers, List<string> Others) Answer(OrtSession session)
    {
        var inputs = new Dictionary<string, OrtTensor>();
        foreach (TensorInfo input in session.Inputs)
        {
            long[] shape = [.. input.Shape.Select(dimension => Math.Max(1, dimension))];
            OrtTensor tensor = input.Type == TensorElementType.String
                ? OrtTensor.FromStrings(Enumerable.Repeat("a", (int)shape.Aggregate(1L, (product, dimension) => product * dimension)).ToArray(), shape)
                : OrtTensor.Allocate(input.Type, shape);
            if (input.Type == TensorElementType.Float)
                for (int i = 0; i < tensor.Span<float>().Length; i++) tensor.Span<float>()[i] = i % 3 * 0.25f;
            inputs.Add(input.Name, tensor);
        }
        try
        {
            (List<float> Numbers, List<string> Others) answer = ([], []);
            foreach (OrtTensor output in session.Run(inputs))
            {
                if (output.Type == TensorElementType.Float) answer.Numbers.AddRange(output.Span<float>());
                else if (output.Type == TensorElementType.String) answer.Others.AddRange(output.ReadStrings());
                else if (output.Type != TensorElementType.Float16) answer.Others.Add(Convert.ToHexString(output.Bytes));
                output.Dispose();
            }
            return answer;
        }
        catch (OnnxRuntimeException refused)
        {
            return ([], [refused.Error.ToString()]); // such inputs are not for every model
        }
        finally
        {
            foreach (OrtTensor tensor in inputs.Values) tensor.Dispose();
        }
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
