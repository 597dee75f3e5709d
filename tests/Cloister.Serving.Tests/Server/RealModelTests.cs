using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cloister.Tests;

namespace Cloister.Serving.Tests.Server;

public sealed class RealModelTests
{
    [SharedDataFact]
    public async Task SqueezeNet_names_all_eight_pictures_as_recorded()
    {
        byte[] model = await File.ReadAllBytesAsync(TestData.Path("models/vision/squeezenet1.1-224.onnx"));
        string labels = string.Join('\n', (await File.ReadAllLinesAsync(TestData.Path("inputs/labels/imagenet1000_synset_label.txt"))).Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("squeezenet", model, """{"preprocess":"bgr-mean"}""", labels));
        using JsonDocument expected = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("models/vision/squeezenet1.1-224.expected.json")));
        int pictures = 0;
        foreach (JsonProperty picture in expected.RootElement.GetProperty("images").EnumerateObject())
        {
            string png = Convert.ToBase64String(await File.ReadAllBytesAsync(TestData.Path("inputs/images224/" + picture.Name)));
            (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/squeezenet/infer",
                $$$"""{"inputs":[{"name":"data_0","shape":[1],"datatype":"BYTES","data":["{{{png}}}"]}],"outputs":[{"name":"softmaxout_1","parameters":{"classification":5}}]}""");
            Assert.True(status == HttpStatusCode.OK, body);
            using JsonDocument answer = JsonDocument.Parse(body);
            JsonElement output = answer.RootElement.GetProperty("outputs")[0];
            Assert.Equal("[1,5]", output.GetProperty("shape").GetRawText());
            string[] best = [.. output.GetProperty("data").EnumerateArray().Select(entry => entry.GetString()!)];
            JsonElement[] recorded = [.. picture.Value.EnumerateArray()];
            for (int i = 0; i < 5; i++)
            {
                string[] parts = best[i].Split(':', 3);
                Assert.Equal(recorded[i].GetProperty("index").GetInt32(), int.Parse(parts[1], CultureInfo.InvariantCulture));
                Assert.Equal(recorded[i].GetProperty("label").GetString(), parts[2]);
                Assert.InRange(double.Parse(parts[0], CultureInfo.InvariantCulture) - recorded[i].GetProperty("p").GetDouble(), -5e-5, 5e-5);
            }
            pictures++;
        }
        Assert.Equal(8, pictures);
    }

    [SharedDataFact]
    public async Task Mnist_answers_alike_on_both_surfaces()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("mnist", await File.ReadAllBytesAsync(TestData.Path("models/vision/mnist.onnx"))));
        var random = new Random(1);
        string pixels = string.Join(',', Enumerable.Range(0, 784).Select(_ => random.Next(256).ToString(CultureInfo.InvariantCulture)));
        var nested = new StringBuilder("[[");
        string[] rows = [.. pixels.Split(',').Chunk(28).Select(row => "[" + string.Join(',', row) + "]")];
        nested.AppendJoin(',', rows).Append("]]");
        (HttpStatusCode status, string v2) = await server.PostAsync("/v2/models/mnist/infer", $$"""{"inputs":[{"name":"Input3","shape":[1,1,28,28],"datatype":"FP32","data":[{{pixels}}]}]}""");
        Assert.True(status == HttpStatusCode.OK, v2);
        (status, string v1) = await server.PostAsync("/v1/models/mnist:predict", $$"""{"instances":[{{nested}}]}""");
        Assert.True(status == HttpStatusCode.OK, v1);
        using JsonDocument left = JsonDocument.Parse(v2), right = JsonDocument.Parse(v1);
        float[] first = [.. left.RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(value => value.GetSingle())];
        float[] second = [.. right.RootElement.GetProperty("predictions")[0].EnumerateArray().Select(value => value.GetSingle())];
        Assert.Equal(10, first.Length);
        Assert.Equal(first, second);
    }

    [SharedDataFact]
    public async Task Half_plus_two_is_TF_Serving_s()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("half_plus_two", await File.ReadAllBytesAsync(TestData.Path("models/serving/half_plus_two.onnx"))));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}"), await server.PostAsync("/v1/models/half_plus_two:predict", """{"instances": [1.0, 2.0, 5.0]}"""));
    }
}
