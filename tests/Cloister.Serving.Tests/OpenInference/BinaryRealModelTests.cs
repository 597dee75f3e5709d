using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Cloister.Serving.Tests.Server;
using Cloister.Tests;
using static Cloister.Serving.Tests.OpenInference.BinaryMessages;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Trained models, their inputs and answers as binary data, against what was recorded of them.</summary>
public sealed class BinaryRealModelTests
{
    [SharedDataFact]
    public async Task SqueezeNet_names_all_eight_pictures_that_are_sent_as_files()
    {
        string[] labels = [.. (await File.ReadAllLinesAsync(TestData.Path("inputs/labels/imagenet1000_synset_label.txt"))).Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])];
        await using TestServer server = await ServeAsync("vision/squeezenet1.1-224", """{"preprocess":"bgr-mean"}""", string.Join('\n', labels));
        using JsonDocument expected = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("models/vision/squeezenet1.1-224.expected.json")));
        JsonProperty[] pictures = [.. expected.RootElement.GetProperty("images").EnumerateObject()];
        byte[][] files = [.. pictures.Select(picture => File.ReadAllBytes(TestData.Path("inputs/images224/" + picture.Name)))];
        Assert.Equal(8, pictures.Length);
        for (int i = 0; i < pictures.Length; i++)
        {
            byte[] data = [.. BitConverter.GetBytes(files[i].Length), .. files[i]];
            (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/model/infer",
                $$$"""{"inputs":[{"name":"data_0","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":{{{data.Length}}}}}],"outputs":[{"name":"softmaxout_1","parameters":{"classification":5,"binary_data":true}}]}""", data);
            Assert.True(status == HttpStatusCode.OK, json);
            JsonElement[] recorded = [.. pictures[i].Value.EnumerateArray()];
            int at = 0;
            foreach (JsonElement place in recorded.Take(5))
            {
                int length = BitConverter.ToInt32(answer, at);
                string[] parts = System.Text.Encoding.UTF8.GetString(answer, at + 4, length).Split(':', 3);
                Assert.Equal((place.GetProperty("index").GetRawText(), place.GetProperty("label").GetString()), (parts[1], parts[2]));
                Assert.Equal(place.GetProperty("p").GetDouble(), double.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), 5e-5);
                at += 4 + length;
            }
            Assert.Equal(answer.Length, at);
        }
    }

    [SharedDataFact]
    public async Task Half_precision_goes_in_and_out()
    {
        await using TestServer server = await ServeAsync("vision/SqueezeNet_fp16");
        var random = new Random(1);
        Half[] picture = [.. Enumerable.Range(0, 3 * 224 * 224).Select(_ => (Half)(random.NextDouble() * 4 - 2))];
        const string Input = "\"name\":\"data_0\",\"shape\":[1,3,224,224],\"datatype\":\"FP16\"";
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/model/infer",
            $$$"""{"inputs":[{{{{Input}}},"parameters":{"binary_data_size":{{{picture.Length * 2}}}}}],"parameters":{"binary_data_output":true}}""", MemoryMarshal.AsBytes(picture.AsSpan()).ToArray());
        Assert.True(status == HttpStatusCode.OK, json);
        Half[] binary = MemoryMarshal.Cast<byte, Half>(answer).ToArray();
        Assert.Equal(1000, binary.Length);
        Assert.Equal(1, binary.Sum(value => (double)value), 0.01);
        // A number that JSON carries is the same number.
        string values = string.Join(',', picture.Select(value => ((float)value).ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
        (status, string text) = await server.PostAsync("/v2/models/model/infer", $$$"""{"inputs":[{{{{Input}}},"data":[{{{values}}}]}]}""");
        Assert.True(status == HttpStatusCode.OK, text);
        using JsonDocument document = JsonDocument.Parse(text);
        Assert.Equal(binary, document.RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(value => (Half)value.GetSingle()));
    }

    [SharedDataFact]
    public async Task A_batch_of_pictures_is_told_apart()
    {
        const int Count = 10, Plane = 32 * 32;
        float[] mean = [0.485f, 0.456f, 0.406f], deviation = [0.229f, 0.224f, 0.225f];
        byte[] file = await File.ReadAllBytesAsync(TestData.Path("inputs/cifar10/cifar10_test_2000.bin"));
        // One byte of label, then the planes of red, green and blue.
        float[] pixels = [.. Enumerable.Range(0, Count).SelectMany(image => Enumerable.Range(0, 3 * Plane).Select(i =>
            (file[image * (1 + 3 * Plane) + 1 + i] / 255f - mean[i / Plane]) / deviation[i / Plane]))];
        await using TestServer server = await ServeAsync("vision/cifar10-resnet20");
        using JsonDocument metadata = JsonDocument.Parse((await server.GetAsync("/v2/models/model")).Body);
        string input = metadata.RootElement.GetProperty("inputs")[0].GetProperty("name").GetString()!;
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/model/infer",
            $$$"""{"inputs":[{"name":"{{{input}}}","shape":[{{{Count}}},3,32,32],"datatype":"FP32","parameters":{"binary_data_size":{{{pixels.Length * 4}}}}}],"parameters":{"binary_data_output":true}}""", Floats(pixels));
        Assert.True(status == HttpStatusCode.OK, json);
        using JsonDocument recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("models/vision/cifar10-resnet20.expected.json")));
        float[] expected = [.. recorded.RootElement.GetProperty("first10_probabilities").EnumerateArray().SelectMany(Row)], probabilities = MemoryMarshal.Cast<byte, float>(answer).ToArray();
        Assert.Equal(expected.Length, probabilities.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], probabilities[i], 1e-4f);
    }

    [SharedDataTheory]
    [InlineData("logreg-breast", "probability", 0), InlineData("logreg-spambase", "probability", 0), InlineData("mlp-spambase", "probability", 0)]
    [InlineData("gbt-credit-default", "probability", 0), InlineData("rf-spambase", "probabilities", 1)]
    public async Task Classifiers_of_tables_answer_as_recorded(string model, string output, int column)
    {
        await using TestServer server = await ServeAsync("tabular/" + model);
        using JsonDocument recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path($"models/tabular/{model}.expected.json")));
        float[][] rows = [.. recorded.RootElement.GetProperty("X").EnumerateArray().Select(Row)];
        double[] expected = [.. recorded.RootElement.GetProperty("expected").EnumerateArray().Select(value => value.GetDouble())];
        float[] answer = await PredictAsync(server, rows, output);
        int columns = answer.Length / rows.Length;
        for (int i = 0; i < rows.Length; i++) Assert.Equal(expected[i], answer[i * columns + column], 1e-5);
    }

    [SharedDataFact]
    public async Task What_is_missing_in_a_table_is_NaN()
    {
        await using TestServer server = await ServeAsync("tabular/xgb-dermatology");
        using JsonDocument recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("models/tabular/xgb-dermatology.expected.json")));
        float[][] rows = [.. recorded.RootElement.GetProperty("x").EnumerateArray().Select(Row)];
        Assert.Contains(rows[0], float.IsNaN);
        float[] expected = [.. recorded.RootElement.GetProperty("prob").EnumerateArray().SelectMany(Row)];
        float[] answer = await PredictAsync(server, rows, "probabilities");
        Assert.Equal(expected.Length, answer.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], answer[i], 1e-5f);
    }

    [SharedDataFact]
    public async Task Words_are_judged_as_recorded()
    {
        await using TestServer server = await ServeAsync("text/sentiment-movie-review");
        using JsonDocument recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(TestData.Path("models/text/sentiment-movie-review.expected.json")));
        JsonElement[] cases = [.. recorded.RootElement.GetProperty("cases").EnumerateArray()];
        int[] ids = [.. cases.SelectMany(one => one.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).Concat(Enumerable.Repeat(0, 256)).Take(256))];
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/model/infer",
            $$$"""{"inputs":[{"name":"token_ids","shape":[{{{cases.Length}}},256],"datatype":"INT32","parameters":{"binary_data_size":{{{ids.Length * 4}}}}}],"parameters":{"binary_data_output":true}}""", MemoryMarshal.AsBytes(ids.AsSpan()).ToArray());
        Assert.True(status == HttpStatusCode.OK, json);
        float[] expected = [.. cases.SelectMany(one => Row(one.GetProperty("probabilities")))], probabilities = MemoryMarshal.Cast<byte, float>(answer).ToArray();
        Assert.Equal(expected.Length, probabilities.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], probabilities[i], 1e-4f);
    }

    [Fact]
    public async Task A_model_whose_output_is_no_tensor_is_refused_with_what_to_do()
    {
        byte[] model = new Cloister.Onnx.Tests.Runtime.HandmadeModel().Input("x", 1, 4).Node("SequenceConstruct", ["x", "x"], ["s"]).OutputSequence("s", 1).ToBytes();
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("model", model));
        (HttpStatusCode status, string body) = await server.GetAsync("/v2/models/model/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("export the model with tensors (for classifiers: without ZipMap)", Reason(body), StringComparison.Ordinal);
    }

    private static async Task<float[]> PredictAsync(TestServer server, float[][] rows, string output)
    {
        float[] values = [.. rows.SelectMany(row => row)];
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/model/infer",
            $$$"""{"inputs":[{"name":"X","shape":[{{{rows.Length}}},{{{rows[0].Length}}}],"datatype":"FP32","parameters":{"binary_data_size":{{{values.Length * 4}}}}}],"outputs":[{"name":"{{{output}}}","parameters":{"binary_data":true}}]}""", Floats(values));
        Assert.True(status == HttpStatusCode.OK, json);
        return MemoryMarshal.Cast<byte, float>(answer).ToArray();
    }

    private static float[] Row(JsonElement row) => [.. row.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? float.NaN : value.GetSingle())];

    private static async Task<TestServer> ServeAsync(string file, string? configuration = null, string? labels = null) =>
        await TestServer.StartAsync(await new TestStore().AddAsync("model", await File.ReadAllBytesAsync(TestData.Path($"models/{file}.onnx")), configuration, labels));
}
