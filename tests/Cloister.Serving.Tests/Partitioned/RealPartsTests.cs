using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Serving.Tests.Server;
using Cloister.Tests;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>A real network, cut in three, served beside the whole one.</summary>
public sealed class RealPartsTests
{
    private const int PictureBytes = 3 * 32 * 32;

    private static readonly float[] s_mean = [0.485f, 0.456f, 0.406f], s_deviation = [0.229f, 0.224f, 0.225f];

    [SharedDataFact]
    public async Task Its_labels_are_those_of_the_whole()
    {
        byte[] whole = await File.ReadAllBytesAsync(TestData.Path("models/vision/cifar10-resnet20.onnx"));
        string labels = await File.ReadAllTextAsync(TestData.Path("inputs/labels/cifar10.txt"));
        byte[] pictures = await File.ReadAllBytesAsync(TestData.Path("inputs/cifar10/cifar10_test_2000.bin"));
        var graph = ModelGraph.Read(OnnxModel.Parse(whole));
        ImmutableArray<Cut> cuts = CutFinder.Find(graph);
        (Cut front, Cut tail) = (cuts[cuts.Length / 3], cuts[^3]);
        PartitionedModel model = GraphCutter.Split(graph, front.Tensors, tail.Tensors);
        var parts = new TestParts(whole, model.Front.ToBytes(), model.Back.ToBytes(), model.Tail!.ToBytes(), [.. front.Tensors], [.. tail.Tensors]);
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        TestStore store = await (await new TestStore().AddAsync("whole", whole)).AddPartsAsync("parts", parts, """{"partition":{"topK":3,"spotChecks":0.5},"warmup":"zeros"}""", labels);
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [accelerator.Address] });
        string[] names = labels.TrimEnd('\n').Split('\n');
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int picture = 0; picture < 12; picture++)
        {
            string request = Request(pictures.AsSpan(picture * (PictureBytes + 1) + 1, PictureBytes));
            double[] scores = [.. (await AskAsync(server, "whole", request))[0]!["data"]!.AsArray().Select(score => (double)score!)];
            int[] best = [.. Enumerable.Range(0, scores.Length).OrderByDescending(index => scores[index]).Take(3)];
            JsonNode outputs = await AskAsync(server, "parts", request);
            for (int place = 0; place < best.Length; place++)
            {
                Assert.Equal(scores[best[place]], (double)outputs[1]!["data"]![place]!, 1e-5);
                // Below this the order of two classes is not the model's word.
                if (place == 0 && scores[best[0]] - scores[best[1]] > 1e-4) Assert.Equal(names[best[0]], ((string)outputs[0]!["data"]![0]!).TrimEnd());
            }
            seen.Add((string)outputs[0]!["data"]![0]!);
        }
        Assert.InRange(seen.Count, 3, names.Length);
    }

    private static async Task<JsonNode> AskAsync(TestServer server, string model, string request)
    {
        (System.Net.HttpStatusCode status, string body) = await server.PostAsync($"/v2/models/{model}/infer", request);
        Assert.True(status == System.Net.HttpStatusCode.OK, body);
        return JsonNode.Parse(body)!["outputs"]!;
    }

    private static string Request(ReadOnlySpan<byte> picture)
    {
        var values = new string[picture.Length];
        for (int i = 0; i < values.Length; i++) values[i] = ((picture[i] / 255f - s_mean[i / 1024]) / s_deviation[i / 1024]).ToString("R", CultureInfo.InvariantCulture);
        return $$"""{"inputs":[{"name":"input","shape":[1,3,32,32],"datatype":"FP32","data":[{{string.Join(',', values)}}]}]}""";
    }
}
