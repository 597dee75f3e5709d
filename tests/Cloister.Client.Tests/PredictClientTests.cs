using System.Text;
using System.Text.Json;
using Cloister.Tests.Mesh;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

public sealed class PredictClientTests : IAsyncLifetime
{
    private const string Description = """{"name":"digits","versions":["3"],"platform":"onnx","inputs":[{"name":"image","datatype":"FP32","shape":[-1,1,28,28]}],"outputs":[{"name":"scores","datatype":"FP32","shape":[-1,10]}]}""";
    private const string Classes = """{"model_name":"digits","model_version":"3","outputs":[{"name":"scores","datatype":"BYTES","shape":[1,2],"data":["12.5:7:seven","-1e-3:1:one: or I"]}]}""";

    private TestMesh _mesh = null!;
    private Activation _activation = null!;
    private TestWorkload _workload = null!;
    private string _answer = Classes;
    private int _status = 200;
    private readonly List<(string Token, JsonElement Body)> _asked = [];

    public async Task InitializeAsync()
    {
        _mesh = await TestMesh.StartAsync();
        _activation = await _mesh.Activator(TestMesh.OtherType).ActivateAsync();
        _workload = await TestWorkload.StartAsync(_activation.Identity, application =>
        {
            application.MapGet("/v2/models/{model}", (string model) => model == "digits"
                ? Results.Text(Description, "application/json")
                : model == "parts" ? Results.Text(Description.Replace("digits", "parts", StringComparison.Ordinal).Replace("\"onnx\"", "\"cloister_partitioned\"", StringComparison.Ordinal), "application/json")
                : Results.Text("""{"error":"there is no model of that name"}""", "application/json", statusCode: 404));
            application.MapPost("/v2/models/{model}/infer", async (HttpContext http) =>
            {
                using JsonDocument body = await JsonDocument.ParseAsync(http.Request.Body);
                _asked.Add((http.Request.Headers.Authorization.ToString(), body.RootElement.Clone()));
                http.Response.StatusCode = _status;
                await http.Response.WriteAsync(_answer);
            });
        });
    }

    public async Task DisposeAsync()
    {
        await _workload.DisposeAsync();
        _activation.Dispose();
        await _mesh.DisposeAsync();
    }

    [Fact]
    public async Task APictureIsClassifiedByTheModelsOwnPreprocessing()
    {
        using PredictClient client = await ClientAsync("token");
        IReadOnlyList<PredictedLabel> labels = await client.ClassifyAsync("digits", new byte[] { 0x89, 0x50 }, 2);
        Assert.Equal([new PredictedLabel(12.5, 7, "seven"), new PredictedLabel(-0.001, 1, "one: or I")], labels);
        var (token, body) = Assert.Single(_asked);
        Assert.Equal("Bearer token", token);
        Assert.Equal("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["iVA="]}],"outputs":[{"name":"scores","parameters":{"classification":2}}]}""", body.GetRawText());
    }

    [Theory]
    [InlineData("""{"model_name":"parts","outputs":[{"name":"labels","datatype":"BYTES","shape":[1,2],"data":["seven ","one   "]},{"name":"scores","datatype":"FP32","shape":[1,2],"data":[12.5,-1e-3  ]}]}   """, 2, "12.5:-1:seven -0.001:-1:one")]
    [InlineData("""{"model_name":"parts","outputs":[{"name":"labels","datatype":"BYTES","shape":[1,2],"data":["seven ","one   "]},{"name":"scores","datatype":"FP32","shape":[1,2],"data":[12.5,-1e-3  ]}]}   """, 1, "12.5:-1:seven")]
    [InlineData("""{"model_name":"parts","outputs":[{"name":"p","datatype":"FP32","shape":[1,3],"data":[0.25,0.5,0.125]}]}""", 2, "0.5:1: 0.25:0:")]
    public async Task AModelInPartsAnswersInItsOwnForm(string answer, int count, string expected)
    {
        _answer = answer;
        using PredictClient client = await ClientAsync();
        IReadOnlyList<PredictedLabel> labels = await client.ClassifyAsync("parts", new byte[] { 0x89, 0x50 }, count);
        Assert.Equal(expected, string.Join(' ', labels.Select(label => FormattableString.Invariant($"{label.Score}:{label.Index}:{label.Text}"))));
        Assert.Equal("""{"inputs":[{"name":"image","shape":[1],"datatype":"BYTES","data":["iVA="]}]}""", Assert.Single(_asked).Body.GetRawText());
    }

    [Theory]
    [InlineData("""{"model_name":"parts","outputs":[]}""")]
    [InlineData("""{"model_name":"parts","outputs":[{"name":"labels","datatype":"BYTES","shape":[1,1],"data":["seven"]}]}""")]
    [InlineData("""{"model_name":"parts","outputs":[{"name":"labels","datatype":"BYTES","shape":[1,1],"data":["a"]},{"name":"scores","datatype":"FP32","shape":[1,2],"data":[1,2]}]}""")]
    public async Task AnAnswerOfAModelInPartsThatIsNoneIsRefused(string answer)
    {
        _answer = answer;
        using PredictClient client = await ClientAsync();
        Assert.Equal(ClientError.AnswerMalformed, (await Assert.ThrowsAsync<ClientException>(() => client.ClassifyAsync("parts", new byte[1]))).Error);
    }

    [Fact]
    public async Task TensorsTravelBothWays()
    {
        _answer = """{"model_name":"digits","id":"1","outputs":[{"name":"scores","shape":[2,2],"datatype":"FP32","data":[[1,2.5],[-3e-2,4]]},{"name":"best","shape":[2],"datatype":"INT64","data":[1,9007199254740993]},{"name":"any","shape":[1],"datatype":"BOOL","data":[true]}]}""";
        using PredictClient client = await ClientAsync();
        InferAnswer answer = await client.InferAsync("digits", [InferTensor.Floats("image", [2, 1], [0.1f, -2]), InferTensor.Int64s("length", [1], [7])]);
        Assert.Equal([1, 2.5, -0.03, 4], answer.Outputs[0].Numbers.ToArray());
        Assert.Equal([1, 9007199254740993], answer.Outputs[1].Integers.ToArray());
        Assert.Equal([1L], answer.Outputs[2].Integers.ToArray());
        Assert.Equal("""{"inputs":[{"name":"image","shape":[2,1],"datatype":"FP32","data":[0.1,-2]},{"name":"length","shape":[1],"datatype":"INT64","data":[7]}]}""", _asked[0].Body.GetRawText());
        Assert.Equal("", _asked[0].Token);
    }

    [Fact]
    public async Task ADescriptionIsRead()
    {
        using PredictClient client = await ClientAsync();
        ModelDescription description = await client.DescribeAsync("digits");
        Assert.Equal(("digits", "onnx"), (description.Name, description.Platform));
        Assert.Equal([-1L, 1, 28, 28], Assert.Single(description.Inputs).Shape);
    }

    [Fact]
    public async Task AServersRefusalIsPassedOn()
    {
        using PredictClient client = await ClientAsync();
        var e = await Assert.ThrowsAsync<ClientException>(() => client.DescribeAsync("../letters"));
        Assert.Equal((ClientError.RefusedByServer, 404), (e.Error, e.HttpStatus));
        (_status, _answer) = (403, """{"error":"this caller may not use model 'digits'\u001b[2J"}""");
        e = await Assert.ThrowsAsync<ClientException>(() => client.ClassifyAsync("digits", new byte[1]));
        Assert.Equal(403, e.HttpStatus);
        Assert.Contains("may not use", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', e.Message);
        (_status, _answer) = (500, "<html>");
        e = await Assert.ThrowsAsync<ClientException>(() => client.ClassifyAsync("digits", new byte[1]));
        Assert.Equal(500, e.HttpStatus);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"model_name":"digits"}""")]
    [InlineData("""{"model_name":"digits","outputs":[],"surprise":1}""")]
    [InlineData("""{"model_name":"digits","outputs":[],"outputs":[]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[2],"data":["1:1:a"]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[-1],"data":[]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[9223372036854775807,9223372036854775807],"data":[]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[1],"data":[1]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"FP33","shape":[1],"data":[1]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[1],"data":["seven"]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[1],"data":["NaN:1:a"]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"scores","datatype":"BYTES","shape":[1],"data":["1:-1:a"]}]}""")]
    [InlineData("""{"model_name":"digits","outputs":[{"name":"other","datatype":"BYTES","shape":[1],"data":["1:1:a"]}]}""")]
    [InlineData("""{"model_name":"\ud800","outputs":[]}""")]
    public async Task AnAnswerThatIsNoneIsRefused(string answer)
    {
        _answer = answer;
        using PredictClient client = await ClientAsync();
        var e = await Assert.ThrowsAsync<ClientException>(() => client.ClassifyAsync("digits", "image", "scores", new byte[1], 5));
        Assert.Equal(ClientError.AnswerMalformed, e.Error);
    }

    [Fact]
    public void ATensorsShapeFitsItsValues()
    {
        Assert.Throws<ArgumentException>(() => InferTensor.Floats("x", [2, 2], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => InferTensor.Floats("x", [-1], [1]));
        Assert.Throws<ArgumentException>(() => InferTensor.Floats("x", [1], [float.NaN]));
        Assert.Throws<ArgumentException>(() => InferTensor.Int64s("x", [long.MaxValue, 4], [1]));
    }

    [Fact]
    public void HostileAnswersAreRefusedAndNothingElse() => Mutations.Drive(m => InferJson.Fuzz(m.Span), 10_000,
        Encoding.UTF8.GetBytes(Classes), Encoding.UTF8.GetBytes(Description), "12.5:7:seven"u8.ToArray(), "{\"error\":\"because\"}"u8.ToArray());

    [Fact]
    public void HostileEnvelopesAreRefusedAndNothingElse() => Mutations.Drive(m => RestAnswer.Fuzz(m.Span), 10_000,
        """{"status":"success","data":{"evidence":"AAAA","certificateChain":"x","simulated":true}}"""u8.ToArray(),
        """{"status":"error","data":null,"message":"no","code":"x"}"""u8.ToArray());

    private async Task<PredictClient> ClientAsync(string? token = null) =>
        new(new AttestedHttpHandler(await _mesh.VerifyAsync(), TestMesh.OtherType), _workload.Address, token);
}
