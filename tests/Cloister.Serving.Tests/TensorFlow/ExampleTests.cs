using System.Net;
using System.Text.Json;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Serving.Tests.Server;
using Cloister.Tests;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary><c>:classify</c> and <c>:regress</c> over real models; what is refused is refused in TF Serving's words (util/json_tensor.cc).</summary>
public sealed class ExampleTests
{
    /// <summary>scores = softmax(x), float [N, 3].</summary>
    internal static byte[] Softmax { get; } = new HandmadeModel().Input("x", 1, -1, 3).Node("Softmax", ["x"], ["scores"]).Output("scores", 1, -1, 3).ToBytes();

    [Theory]
    [InlineData("""{"examples":[{"x":80.0}]}""", "42.0")]
    [InlineData("""{"signature_name":"regression","examples":[{"x":80},{"x":[1.5],"names":["passed over"]}]}""", "42.0, 2.75")]
    [InlineData("""{"context":{"x":1.0},"examples":[{},{"x":3.0}],"other":[{"deep":[[]]}]} tail""", "2.5, 3.5")]
    [InlineData("""{"examples":[{"x":NaN},{"x":Infinity},{"x":-Infinity},{"x":true}]}""", "NaN, Infinity, -Infinity, 2.5")]
    public async Task A_value_of_each_example(string request, string values)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Assert.Equal((HttpStatusCode.OK, $"{{\n    \"results\": [{values}]\n}}"), await server.PostAsync("/v1/models/half:regress", request));
    }

    [Theory]
    [InlineData(null, "[\"\", 0.333333343], [\"\", 0.333333343], [\"\", 0.333333343]")]
    [InlineData("car\nbike", "[\"car\", 0.333333343], [\"bike\", 0.333333343], [\"\", 0.333333343]")]
    public async Task The_classes_of_each_example(string? labels, string classes)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("softmax", Softmax, labels: labels));
        Assert.Equal((HttpStatusCode.OK, $"{{\n    \"results\": [[{classes}], [{classes}]\n    ]\n}}"),
            await server.PostAsync("/v1/models/softmax:classify", """{"signature_name":"classification","examples":[{"x":[1,1,1]},{"x":[2.0,2.0,2.0]}]}"""));
    }

    [Theory]
    [InlineData("regress", """{"signature_name":["hello"],"examples":[{"x":1}]}""", "JSON Value: {\n    \"signature_name\": [\"hello\"],\n    \"examples\": [{\n            \"x\": 1\n        }]\n} not formatted correctly. 'signature_name' key must be a string value.")]
    [InlineData("regress", """{"context":[{"x":1}]}""", "Example must be JSON object but got JSON Array")]
    [InlineData("regress", """{"x":1}""", "JSON Value: {\n    \"x\": 1\n} When method is classify, key 'examples' is expected and was not found")]
    [InlineData("regress", """{"examples":{"x":1}}""", "JSON Value: {\n    \"examples\": {\n        \"x\": 1\n    }\n} Expecting 'examples' value to be an list/array")]
    [InlineData("regress", """{"examples":[]}""", "JSON Value: {\n    \"examples\": []\n} 'examples' value is an empty array")]
    [InlineData("regress", """{"examples":[[{"x":1}]]}""", "Example must be JSON object but got JSON Array")]
    [InlineData("regress", """{"examples":[{"names":[10,null]}]}""", "Feature: names has element with unexpected JSON type: Null")]
    [InlineData("regress", """{"examples":[{"names":[10,10.0]}]}""", "Unexpected element type in feature: names expecting type: int64")]
    [InlineData("regress", """{"examples":[{"names":[1.0,"a"]}]}""", "Unexpected element type in feature: names expecting type: float")]
    [InlineData("regress", """{"examples":[{"names":[10,{"test":10}]}]}""", "Feature: names has element with unexpected JSON type: Object")]
    [InlineData("regress", """{"examples":[{"names":[[10],20]}]}""", "Feature: names has element with unexpected JSON type: Array")]
    [InlineData("regress", """{"examples":[{"names":[20,18446744073709551603]}]}""", "Feature: names has uint64_t element. Only int64_t is supported.")]
    [InlineData("regress", """{"examples":[{"x":{"b64":"*"}}]}""", "Unable to base64 decode")]
    [InlineData("regress", """{"examples":[{"x":1,"x":2}]}""", "Feature: x stands there twice")]
    [InlineData("regress", "", "JSON Parse error: The document is empty")]
    [InlineData("regress", """{"examples":[{"x":1}]""", "JSON Parse error: Missing a comma or '}' after an object member. at offset: 21")]
    [InlineData("regress", """{"examples":[{"x":1},{}]}""", "Key: x, Index: 1.  Feature: x (data type: float) is required but could not be found.")]
    [InlineData("regress", """{"examples":[{"x":["a"]}]}""", "Key: x, Index: 0.  Data types don't match. Expected type: float, but it is a list of bytes")]
    [InlineData("regress", """{"examples":[{"x":[1,2]}]}""", "Key: x, Index: 0.  Number of float values != expected.  Values size: 2 but output shape: []")]
    [InlineData("regress", """{"signature_name":"regress_x_to_y","examples":[{"x":1}]}""", "No signature was found with the name: regress_x_to_y")]
    [InlineData("classify", """{"examples":[{"x":1}]}""", "Expected classification signature outputs to contain at least one of \"classes\" or \"scores\". Signature was: y: float[-1]")]
    public async Task Half_plus_two_says_what_is_wrong(string verb, string body, string reason)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        (HttpStatusCode status, string answer) = await server.PostAsync("/v1/models/half:" + verb, body);
        Assert.Equal((HttpStatusCode.BadRequest, reason), (status, Refusal.Reason(answer)));
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/models/half:regress", """{"examples":[{"x":1}]}""")).Status);
    }

    [Fact]
    public async Task A_shape_that_only_a_request_shows_is_held_to()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(1)));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"results\": [1.0, 2.0]\n}"), await server.PostAsync("/v1/models/identity:regress", """{"examples":[{"x":1},{"x":2}]}"""));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"results\": [[[\"\", 1.0]]\n    ]\n}"), await server.PostAsync("/v1/models/identity:classify", """{"examples":[{"x":1}]}"""));
        (HttpStatusCode status, string answer) = await server.PostAsync("/v1/models/identity:regress", """{"examples":[{"x":[1,2]}]}""");
        Assert.Equal((HttpStatusCode.BadRequest, "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [1,2]"), (status, Refusal.Reason(answer)));
        (status, answer) = await server.PostAsync("/v1/models/identity:regress", """{"examples":[{"x":[1]},{"x":[1,2]}]}""");
        Assert.Equal((HttpStatusCode.BadRequest, "Key: x, Index: 1.  Number of float values != expected.  Values size: 2 but the examples before have 1"), (status, Refusal.Reason(answer)));
    }

    [Fact]
    public async Task Features_of_every_kind_find_their_inputs()
    {
        HandmadeModel model = new();
        foreach ((string name, int type) in new[] { ("f", 1), ("d", 11), ("l", 7), ("b", 2) })
            model.Input(name, type, -1).Node("Cast", [name], [name + "1"], HandmadeModel.Int("to", 1));
        byte[] bytes = model.Input("o", 9, -1).Node("Cast", ["o"], ["o1"], HandmadeModel.Int("to", 1)).Input("t", 8, -1).Node("Identity", ["t"], ["text"])
            .Node("Sum", ["f1", "d1", "l1", "b1", "o1"], ["y"]).Output("y", 1, -1).Output("text", 8, -1).ToBytes();
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("kinds", bytes));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"results\": [108.5, 5.0]\n}"), await server.PostAsync("/v1/models/kinds:regress",
            """{"context":{"t":"shared"},"examples":[{"f":0.5,"d":2.0,"l":100,"b":5,"o":true},{"f":1.0,"d":1,"l":1,"b":1,"o":1,"t":{"b64":"w6Q="}}]}"""));
        (HttpStatusCode status, string answer) = await server.PostAsync("/v1/models/kinds:regress", """{"examples":[{"f":0.5,"d":2.0,"l":100,"b":256,"o":true,"t":"a"}]}""");
        Assert.Equal((HttpStatusCode.BadRequest, "Input 'b': 256 does not fit uint8."), (status, Refusal.Reason(answer)));
        (status, answer) = await server.PostAsync("/v1/models/kinds:regress", """{"examples":[{"f":0.5,"d":2.0,"l":1.5,"b":1,"o":true,"t":"a"}]}""");
        Assert.Equal((HttpStatusCode.BadRequest, "Key: l, Index: 0.  Data types don't match. Expected type: int64, but it is a list of float"), (status, Refusal.Reason(answer)));
    }

    [SharedDataFact]
    public async Task Trained_models_classify_and_regress_as_recorded()
    {
        TestStore store = new();
        foreach (string name in new[] { "rf-spambase", "logreg-spambase" }) await store.AddAsync(name, await File.ReadAllBytesAsync(TestData.Path($"models/tabular/{name}.onnx")), labels: "ham\nspam");
        await using TestServer server = await TestServer.StartAsync(store);
        string[] row = (await File.ReadAllLinesAsync(TestData.Path("inputs/tabular/spambase.csv")))[6].Split(',');
        string example = $$"""{"examples":[{"X":[{{string.Join(',', row[..57].Select(value => value.Contains('.', StringComparison.Ordinal) ? value : value + ".0"))}}]}]}""";
        (HttpStatusCode status, string body) = await server.PostAsync("/v1/models/rf-spambase:classify", example);
        Assert.True(status == HttpStatusCode.OK, body);
        using JsonDocument classes = JsonDocument.Parse(body);
        JsonElement first = classes.RootElement.GetProperty("results")[0];
        Assert.Equal(["ham", "spam"], first.EnumerateArray().Select(pair => pair[0].GetString()!));
        Assert.Equal(1.0, first.EnumerateArray().Sum(pair => pair[1].GetDouble()), 5);
        (status, string direct) = await server.PostAsync("/v1/models/rf-spambase:predict", $$"""{"instances":[{"X":[{{string.Join(',', row[..57])}}]}]}""");
        Assert.True(status == HttpStatusCode.OK, direct);
        using JsonDocument predicted = JsonDocument.Parse(direct);
        Assert.Equal(predicted.RootElement.GetProperty("predictions")[0].GetProperty("probabilities").EnumerateArray().Select(value => value.GetDouble()), first.EnumerateArray().Select(pair => pair[1].GetDouble()));
        (status, body) = await server.PostAsync("/v1/models/logreg-spambase:regress", example);
        Assert.True(status == HttpStatusCode.OK, body);
        using JsonDocument value = JsonDocument.Parse(body);
        Assert.InRange(value.RootElement.GetProperty("results")[0].GetDouble(), 0, 1);
    }
}
