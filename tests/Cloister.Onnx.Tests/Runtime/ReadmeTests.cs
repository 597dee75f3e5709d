using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Tests;

namespace Cloister.Onnx.Tests.Runtime;

public sealed partial class ReadmeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-test-");

    [SharedDataFact]
    public void TheExamplesDoWhatTheReadmeSays()
    {
        FolderOfTheReader File = new(_folder.FullName);
        File.Place("squeezenet1.1-224.onnx", TestData.Path("models/vision/squeezenet1.1-224.onnx"));
        File.Place("cat.png", TestData.Path("inputs/images224/cat.png"));
        CancellationToken cancellation = CancellationToken.None;

        byte[] model = File.ReadAllBytes("squeezenet1.1-224.onnx");
        using var session = OrtSession.FromMemory(model);
        Picture picture = PictureFile.Read(File.ReadAllBytes("cat.png"));

        using var input = OrtTensor.Allocate<float>([1, 3, 224, 224]);
        Preprocessing.Parse("bgr-mean").ToTensor(picture, 3, 224, 224, input.Span<float>());

        OrtTensor[] outputs = session.Run(new Dictionary<string, OrtTensor> { ["data_0"] = input });
        using OrtTensor probabilities = outputs[0];
        int best = Enumerable.Range(0, 1000).MaxBy(i => probabilities.Span<float>()[i]);
        Assert.InRange(best, 281, 285); // the five kinds of domestic cat

        float[] request = new float[3 * 224 * 224];
        using var reused = OrtTensor.OverPinned<float>(request, [1, 3, 224, 224]);
        using var answer = OrtTensor.Allocate<float>([1, 1000, 1, 1]);
        using var options = new OrtRunOptions();
        input.Span<float>().CopyTo(request);
        using (cancellation.Register(options.Terminate))
            session.Run([reused], [answer], options);
        Assert.Equal(probabilities.Bytes, answer.Bytes);

        ModelProto parsed = OnnxModel.Parse(model);
        foreach (NodeProto node in parsed.Graph.Nodes)
            Console.WriteLine($"{node.OpType}: {string.Join(", ", node.Inputs)} -> {string.Join(", ", node.Outputs)}");
        byte[] same = parsed.ToBytes();
        Assert.Equal(model, same);

        ModelGraph graph = ModelGraph.Read(parsed);
        foreach (Cut cut in CutFinder.Find(graph))
            Console.WriteLine($"{cut.Tensors[0]}: {cut.MacShareBefore:P0} of the work before it, {cut.BoundaryBytes} bytes cross");

        PartitionedModel parts = GraphCutter.Split(graph, ["fire5/concat_1"], tail: ["pool10_1"]);
        using var front = OrtSession.FromMemory(parts.Front.ToBytes());
        using var back = OrtSession.FromMemory(parts.Back.ToBytes());
        using var tail = OrtSession.FromMemory(parts.Tail!.ToBytes());

        using OrtTensor leaves = front.Run(new Dictionary<string, OrtTensor> { ["data_0"] = input })[0];
        using OrtTensor returns = back.Run(new Dictionary<string, OrtTensor> { ["fire5/concat_1"] = leaves })[0];
        using OrtTensor composed = tail.Run(new Dictionary<string, OrtTensor> { ["pool10_1"] = returns })[0];
        Assert.Equal(best, Enumerable.Range(0, 1000).MaxBy(i => composed.Span<float>()[i]));
    }

    [Fact]
    public void TheExampleOfExternalWeightsDoesWhatTheReadmeSays()
    {
        const int side = 1024;
        FolderOfTheReader File = new(_folder.FullName);
        File.Write("model.onnx", new HandmadeModel().Input("x", 1, -1, side).External("W", 1, [side, side], "model.onnx.data")
            .Node("MatMul", ["x", "W"], ["y"]).Output("y", 1, -1, side).ToBytes());
        File.Write("model.onnx.data", new byte[side * side * 4]);

        using FileStream file = File.OpenRead("model.onnx.data");
        using var weights = PinnedBuffer.Allocate(file.Length);
        for (long at = 0; at < weights.Length; at += 1 << 20)
            file.ReadExactly(weights.Span(at, (int)Math.Min(1 << 20, weights.Length - at)));

        using var large = OrtSession.FromMemory(
            File.ReadAllBytes("model.onnx"),
            new OrtSessionOptions { DisablePrepacking = true },
            new Dictionary<string, ExternalWeights> { ["model.onnx.data"] = new(weights) });
        Assert.True(large.WeightsInPlace);
    }

    [Fact]
    public void TheReadmesExamplesAreTheseTests()
    {
        string here = System.IO.File.ReadAllText(ThisFile());
        string readme = System.IO.File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "src", "Cloister.Onnx", "README.md"));
        string[] lines = [.. Snippets.Matches(readme).SelectMany(snippet => snippet.Groups[1].Value.Split('\n')).Select(line => line.Trim()).Where(line => line.Length > 0)];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains(line, here, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippets { get; }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    /// <summary>Stands where the examples say <c>File</c>: the same calls, relative to a folder of the test instead of the working directory.</summary>
    private sealed class FolderOfTheReader(string folder)
    {
        public void Place(string name, string original) => System.IO.File.CreateSymbolicLink(Path.Combine(folder, name), original);

        public void Write(string name, byte[] content) => System.IO.File.WriteAllBytes(Path.Combine(folder, name), content);

        public byte[] ReadAllBytes(string name) => System.IO.File.ReadAllBytes(Path.Combine(folder, name));

        public FileStream OpenRead(string name) => System.IO.File.OpenRead(Path.Combine(folder, name));
    }
}
