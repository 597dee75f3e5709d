using System.Net;
using System.Text.Json.Nodes;
using Cloister.Onnx.Runtime;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>Models in parts, served for real.</summary>
public sealed class PartitionedServingTests
{
    [Fact]
    public async Task Its_answers_are_those_of_the_whole_model()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        TestStore store = await (await new TestStore().AddAsync("whole", TestParts.Small.Whole)).AddPartsAsync("parts", TestParts.Small);
        await store.AddPartsAsync("headless", TestParts.Headless);
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [accelerator.Address] });
        foreach (float[] row in TestParts.Rows(5))
        {
            double[] expected = await ScoresAsync(server, "whole", row);
            foreach (string model in (string[])["parts", "headless"])
            {
                double[] actual = await ScoresAsync(server, model, row);
                Assert.Equal(expected.Length, actual.Length);
                for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-6);
            }
        }
        (HttpStatusCode _, string metadata) = await server.GetAsync("/v2/models/parts");
        Assert.Equal("cloister_partitioned", (string?)JsonNode.Parse(metadata)!["platform"]);
    }

    [Fact]
    public async Task Its_best_classes_are_named_inside()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        TestStore store = await (await new TestStore().AddAsync("whole", TestParts.Small.Whole)).AddPartsAsync("parts", TestParts.Small, """{"partition":{"topK":3}}""", TestParts.Labels);
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [accelerator.Address] });
        string[] names = [.. TestParts.Labels.Split('\n').Select((name, index) => name.Length > 0 ? name : $"{index}")];
        foreach (float[] row in TestParts.Rows(8))
        {
            double[] scores = await ScoresAsync(server, "whole", row);
            int[] best = [.. Enumerable.Range(0, scores.Length).OrderByDescending(index => scores[index]).Take(3)];
            JsonNode outputs = (await InferAsync(server, "parts", row))["outputs"]!;
            Assert.Equal(["labels", "scores"], outputs.AsArray().Select(output => (string)output!["name"]!));
            string[] labels = [.. outputs[0]!["data"]!.AsArray().Select(label => (string)label!)];
            Assert.Equal(best.Select(index => names[index]), labels.Select(label => label.TrimEnd()));
            Assert.All(labels, label => Assert.Equal(names.Max(name => name.Length), label.Length));
            for (int i = 0; i < best.Length; i++) Assert.Equal(scores[best[i]], (double)outputs[1]!["data"]![i]!, 1e-6);
        }
    }

    [Fact]
    public async Task A_tail_that_only_moves_what_came_back_gives_it_nevertheless()
    {
        // What came back is zeroed once the tail has run: its answer must be memory of its own.
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        TestStore store = await new TestStore().AddAsync("whole", TestParts.Small.Whole);
        await store.AddPartsAsync("parts", TestParts.Headless with
        {
            Tail = new HandmadeModel().Input("p", 1, -1, TestParts.Classes).Node("Flatten", ["p"], ["q"]).Output("q", 1, -1, TestParts.Classes).ToBytes(),
            TailCut = ["p"],
        });
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [accelerator.Address] });
        foreach (float[] row in TestParts.Rows(2))
        {
            double[] expected = await ScoresAsync(server, "whole", row), actual = await ScoresAsync(server, "parts", row);
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-6);
        }
    }

    [Fact]
    public void What_the_model_gives_is_zeroed_when_it_was_sent()
    {
        float[] memory = [1, 2, 3];
        var answer = new Tensor(OrtTensor.OverPinned(memory.AsMemory(), [1, 3]));
        Assert.Equal([1f, 2f, 3f], answer.Elements<float>().ToArray());
        answer.Dispose();
        answer.Dispose();
        Assert.Equal([0f, 0f, 0f], memory);
    }

    internal static async Task<JsonNode> InferAsync(TestServer server, string model, params float[][] rows)
    {
        (HttpStatusCode status, string body) = await server.PostAsync($"/v2/models/{model}/infer", Request(rows));
        Assert.True(status == HttpStatusCode.OK, body);
        return JsonNode.Parse(body)!;
    }

    internal static string Request(params float[][] rows) =>
        $$"""{"inputs":[{"name":"x","shape":[{{rows.Length}},{{TestParts.Inputs}}],"datatype":"FP32","data":[{{string.Join(',', rows.SelectMany(row => row).Select(value => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)))}}]}]}""";

    private static async Task<double[]> ScoresAsync(TestServer server, string model, float[] row) =>
        [.. (await InferAsync(server, model, row))["outputs"]![0]!["data"]!.AsArray().Select(score => (double)score!)];
}
