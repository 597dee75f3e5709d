using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Protocol.Grpc;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Tests.OpenInference.Grpc;
using Cloister.Serving.Tests.Server;
using Cloister.Serving.Tests.TensorFlow;
using Cloister.Serving.TensorFlow.Messages;
using Google.Protobuf;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>On every surface an answer of a model in parts has the size of its shape, whatever the classes are.</summary>
public sealed class OneSizeTests : IAsyncLifetime
{
    private const string TopK = """{"partition":{"topK":2}}""";

    // Classes of every kind: sure ones, doubtful ones, and values that print long and short.
    private static readonly float[][] s_rows = [.. TestParts.Rows(24), [0, 0, 0, 0], [100, -100, 100, -100], [1e-7f, 2e-7f, -1e-7f, 0]];

    private TestAccelerator _accelerator = null!;
    private TestServer _server = null!;
    private readonly LogLines _log = new();

    public async Task InitializeAsync()
    {
        _accelerator = await TestAccelerator.StartAsync();
        TestStore store = await new TestStore().AddPartsAsync("named", TestParts.Small, TopK, TestParts.Labels);
        await store.AddPartsAsync("plain", TestParts.Small);
        await store.AddPartsAsync("headless", TestParts.Headless);
        _server = await TestServer.StartAsync(store, options => options with { Accelerators = [_accelerator.Address] }, logging: _log.Configure);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _accelerator.DisposeAsync();
    }

    [Theory]
    [InlineData("named")]
    [InlineData("plain")]
    [InlineData("headless")]
    public async Task Over_rest(string model)
    {
        foreach (bool binary in (bool[])[false, true])
        {
            await OneSizeAsync(row => PostAsync($"/v2/models/{model}/infer", PartitionedServingTests.Request(row).Insert(1, binary ? """ "parameters":{"binary_data_output":true},""" : "")));
            await OneSizeAsync(row => PostAsync($"/v2/models/{model}/infer", PartitionedServingTests.Request(row, row, row).Insert(1, binary ? """ "parameters":{"binary_data_output":true},""" : "")));
        }
        await OneSizeAsync(row => PostAsync($"/v1/models/{model}:predict", $$"""{"instances":[[{{Join(row)}}]]}"""));
        await OneSizeAsync(row => PostAsync($"/v1/models/{model}:predict", $$"""{"inputs":[[{{Join(row)}}],[{{Join(row)}}]]}"""));
    }

    [Theory]
    [InlineData("named")]
    [InlineData("plain")]
    public async Task Over_grpc(string model)
    {
        using var open = new GrpcClient(_server);
        using var tensorFlow = new GrpcCalls(_server);
        foreach (bool typed in (bool[])[false, true])
        {
            await OneSizeAsync(async row =>
            {
                ModelInferRequest request = GrpcClient.Raw(model, "FP32", [1, TestParts.Inputs], row);
                foreach (string output in model == "named" ? (string[])["labels", "scores"] : ["p"])
                    request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = output, Parameters = { ["binary_data"] = new InferParameter { BoolParam = !typed } } });
                return (await open.InferAsync(request)).ToByteArray();
            });
        }
        await OneSizeAsync(async row =>
        {
            var request = new PredictRequest { ModelSpec = new ModelSpec { Name = model } };
            var tensor = new TensorProto { Dtype = Cloister.Serving.TensorFlow.Messages.DataType.DtFloat, TensorShape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dim { Size = 1 }, new TensorShapeProto.Types.Dim { Size = TestParts.Inputs } } } };
            tensor.FloatVal.AddRange(row);
            request.Inputs["x"] = tensor;
            return (await tensorFlow.CallAsync("PredictionService/Predict", request, PredictResponse.Parser)).ToByteArray();
        });
    }

    [Fact]
    public async Task Nothing_is_compressed_though_it_is_asked_for()
    {
        using HttpClient client = _server.CreateClient();
        client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        float[][] many = [.. Enumerable.Repeat(s_rows[0], 100)];
        using var content = new StringContent(PartitionedServingTests.Request(many), Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await client.PostAsync("/v2/models/plain/infer", content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        // Over gRPC a caller who compresses is answered so; the frame's first byte says whether it is.
        using HttpClient http2 = _server.CreateClient(http2: true);
        foreach (string model in (string[])["plain", "named"])
        {
            byte[] message = GrpcClient.Raw(model, "FP32", [100, TestParts.Inputs], [.. many.SelectMany(row => row)]).ToByteArray();
            byte[] frame = [0, (byte)(message.Length >> 24), (byte)(message.Length >> 16), (byte)(message.Length >> 8), (byte)message.Length, .. message];
            using var request = new HttpRequestMessage(HttpMethod.Post, "/inference.GRPCInferenceService/ModelInfer") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(frame) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
            request.Headers.Add("grpc-encoding", "gzip");
            request.Headers.Add("grpc-accept-encoding", "gzip");
            using HttpResponseMessage response = await http2.SendAsync(request);
            byte[] body = await response.Content.ReadAsByteArrayAsync();
            Assert.True(body.Length > 1000, $"{response.StatusCode} {response.TrailingHeaders}");
            Assert.Equal(0, body[0]);
        }
    }

    [Fact]
    public async Task Forms_whose_size_would_tell_are_refused()
    {
        (HttpStatusCode status, string body) = await _server.PostAsync("/v2/models/named/infer",
            PartitionedServingTests.Request(s_rows[0]).Insert(1, """ "outputs":[{"name":"scores","parameters":{"classification":2}}],"""));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("its outputs are labels, scores", body, StringComparison.Ordinal);
        using var open = new GrpcClient(_server);
        ModelInferRequest request = GrpcClient.Raw("plain", "FP32", [1, TestParts.Inputs], s_rows[0]);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "p", Parameters = { ["classification"] = new InferParameter { Int64Param = 2 } } });
        Assert.Equal(GrpcStatus.InvalidArgument, (await open.RefusedAsync(request)).Status);
        foreach (string verb in (string[])["classify", "regress"])
            Assert.Equal(HttpStatusCode.NotImplemented, (await _server.PostAsync($"/v1/models/plain:{verb}", """{"examples":[{"x":[1,2,3,4]}]}""")).Status);
    }

    [Fact]
    public async Task Neither_log_nor_figures_tell_classes()
    {
        foreach (float[] row in s_rows) await PostAsync("/v2/models/named/infer", PartitionedServingTests.Request(row));
        string figures = (await _server.GetAsync("/status")).Body;
        string[] told = [.. _log.Lines, figures];
        foreach (string label in (string[])["something rather long", "zebra", "horse"])
            Assert.All(told, line => Assert.DoesNotContain(label, line, StringComparison.Ordinal));
    }

    private static string Join(float[] row) => string.Join(',', row.Select(value => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));

    private async Task<byte[]> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _server.Client.PostAsync(path, content);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        if (response.Content.Headers.ContentType?.MediaType == "application/json") Assert.NotNull(JsonNode.Parse(body));
        return body;
    }

    private static async Task OneSizeAsync(Func<float[], Task<byte[]>> ask)
    {
        var answers = new List<byte[]>();
        foreach (float[] row in s_rows) answers.Add(await ask(row));
        Assert.Single(answers.Select(answer => answer.Length).Distinct());
        // They do differ: the test asks about something.
        Assert.True(answers.Select(Convert.ToHexString).Distinct().Count() > s_rows.Length / 2);
    }
}
