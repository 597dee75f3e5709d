using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Wire;
using Cloister.Protocol.Grpc;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.TensorFlow.Messages;
using Cloister.Serving.Tests.OpenInference;
using Cloister.Serving.Tests.OpenInference.Grpc;
using Cloister.Serving.Tests.Server;
using Cloister.Serving.Tests.TensorFlow;
using Google.Protobuf;
using TensorType = Cloister.Serving.TensorFlow.Messages.DataType;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>The same envelopes as one tensor of bytes, over the protocols that every model speaks.</summary>
public sealed class GenericSurfaceTests
{
    [Fact]
    public async Task Open_inference_takes_them_as_binary_data()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(5));
        string json = $$$"""{"inputs":[{"name":"query","shape":[{{{envelope.Length}}}],"datatype":"UINT8","parameters":{"binary_data_size":{{{envelope.Length}}}}}],"parameters":{"binary_data_output":true}}""";
        (HttpStatusCode status, string answered, byte[] answer) = await BinaryMessages.AskAsync(server, "/v2/models/spam/infer", json, envelope);
        Assert.True(status == HttpStatusCode.OK, answered);
        Assert.Equal(5, caller.Open(answer, header, 5).Count);
        // The whole body as the model's one input.
        using HttpRequestMessage raw = BinaryMessages.Request("/v2/models/spam/infer", "", envelope, "0");
        (status, answered, answer) = await BinaryMessages.AskAsync(server.Client, raw);
        Assert.True(status == HttpStatusCode.OK, answered);
        Assert.Equal(5, caller.Open(answer, header, 5).Count);
    }

    [Fact]
    public async Task Open_inference_takes_them_as_numbers_too()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(1));
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/spam/infer",
            $$"""{"inputs":[{"name":"query","shape":[{{envelope.Length}}],"datatype":"UINT8","data":[{{string.Join(',', envelope)}}]}]}""");
        Assert.True(status == HttpStatusCode.OK, body);
        byte[] answer = [.. JsonNode.Parse(body)!["outputs"]![0]!["data"]!.AsArray().Select(number => (byte)(int)number!)];
        Assert.Single(caller.Open(answer, header, 1));
    }

    [Fact]
    public async Task Open_inference_over_grpc_takes_them_raw()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        using var client = new GrpcClient(server);
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(2));
        ModelInferResponse answer = await client.InferAsync(Request(envelope));
        Assert.Equal(2, caller.Open(Assert.Single(answer.RawOutputContents).ToByteArray(), header, 2).Count);
        // Refusals have statuses of their own.
        (byte[] other, _) = caller.Query(EncryptedModels.Rows(1), asked => asked with { ModelDigest = new byte[32] });
        Assert.Equal(GrpcStatus.FailedPrecondition, (await client.RefusedAsync(Request(other))).Status);
        (byte[] unknown, _) = caller.Query(EncryptedModels.Rows(1), asked => asked with { KeyId = KeyId.Random() });
        Assert.Equal(GrpcStatus.PermissionDenied, (await client.RefusedAsync(Request(unknown))).Status);
        Assert.Equal(GrpcStatus.InvalidArgument, (await client.RefusedAsync(Request([1, 2, 3]))).Status);
    }

    [Fact]
    public async Task TensorFlow_serving_over_grpc_takes_them_in_one_piece()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync(), options => options with { AnswersAsTensorContent = true });
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        using var calls = new GrpcCalls(server);
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(4));
        PredictRequest Request(byte[] query) => new()
        {
            ModelSpec = new ModelSpec { Name = "spam" },
            Inputs = { ["query"] = new TensorProto { Dtype = TensorType.DtUint8, TensorShape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dim { Size = query.Length } } }, TensorContent = ByteString.CopyFrom(query) } },
        };
        PredictResponse answer = await calls.CallAsync("PredictionService/Predict", Request(envelope), PredictResponse.Parser);
        Assert.Equal(4, caller.Open(answer.Outputs["answer"].TensorContent.ToByteArray(), header, 4).Count);
        envelope[^1] ^= 1;
        Assert.Equal(GrpcStatus.PermissionDenied, (await calls.RefusedAsync("PredictionService/Predict", Request(envelope))).Item1);
    }

    [Theory]
    [InlineData("""{"instances":[{"b64":"@"}]}""", "predictions")]
    [InlineData("""{"instances":[{"query":{"b64":"@"}}]}""", "predictions")]
    [InlineData("""{"inputs":{"b64":"@"}}""", "outputs")]
    [InlineData("""{"inputs":{"query":{"b64":"@"}}}""", "outputs")]
    public async Task TensorFlow_serving_takes_them_in_base64(string request, string answered)
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(3));
        (HttpStatusCode status, string body) = await server.PostAsync("/v1/models/spam:predict", request.Replace("@", Convert.ToBase64String(envelope), StringComparison.Ordinal));
        Assert.True(status == HttpStatusCode.OK, body);
        JsonNode value = JsonNode.Parse(body)![answered]!;
        byte[] answer = Convert.FromBase64String((string)(value is JsonArray list ? list.Single()! : value)["b64"]!);
        Assert.Equal(3, caller.Open(answer, header, 3).Count);
    }

    [Fact]
    public async Task TensorFlow_serving_refuses_what_is_no_query()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        string query = Convert.ToBase64String(caller.Query(EncryptedModels.Rows(1)).Envelope);
        foreach (string request in (string[])
        [
            $$"""{"instances":[{"b64":"{{query}}"},{"b64":"{{query}}"}]}""", """{"instances":[{"b64":"%"}]}""", """{"inputs":{"query":{"b64":7}}}""",
            """{"instances":[{"b64":""}]}""", """{"inputs":{"other":{"b64":"AA=="}}}""", """{"instances":[[{"b64":"AA=="}, 7]]}""", """{"instances":[1,2,3]}""",
        ])
        {
            (HttpStatusCode status, string body) = await server.PostAsync("/v1/models/spam:predict", request);
            Assert.True(status == HttpStatusCode.BadRequest, $"{request.Length}: {status} {body}");
        }
    }

    [Fact]
    public async Task Figures_count_rows_and_bytes_and_no_log_holds_a_body()
    {
        string log = Path.GetTempFileName();
        try
        {
            string sent;
            await using (TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync(), options => options with { AccessLogFile = log, Metrics = new MetricsOptions { Open = true } }))
            {
                using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
                (byte[] envelope, _) = caller.Query(EncryptedModels.Rows(7));
                (HttpStatusCode status, byte[] answer) = await caller.SendAsync(envelope);
                Assert.Equal(HttpStatusCode.OK, status);
                using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
                string metrics;
                do metrics = (await server.GetAsync("/metrics")).Body;
                while (!metrics.Contains("cloister_serving_encrypted_rows_total{model=\"spam\"} 7", StringComparison.Ordinal) && !patience.IsCancellationRequested);
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"cloister_serving_encrypted_bytes_total{{model=\"spam\",direction=\"in\"}} {envelope.Length}\n"), metrics, StringComparison.Ordinal);
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"cloister_serving_encrypted_bytes_total{{model=\"spam\",direction=\"out\"}} {answer.Length}\n"), metrics, StringComparison.Ordinal);
                Assert.Contains("cloister_serving_compute_seconds_count{model=\"spam\"} 1\n", metrics, StringComparison.Ordinal);
                Assert.Contains("\"inference_count\"", (await server.GetAsync("/v2/models/spam/stats")).Body, StringComparison.Ordinal);
                sent = Convert.ToBase64String(envelope);
            }
            string[] lines = await File.ReadAllLinesAsync(log);
            JsonNode line = JsonNode.Parse(lines.Single(one => one.Contains("\"method\":\"infer\"", StringComparison.Ordinal)))!;
            Assert.Equal(("encrypted", "spam", 7), ((string)line["surface"]!, (string)line["model"]!, (int)line["items"]!));
            Assert.All(lines, one => Assert.True(one.Length < 600 && !one.Contains(sent[..32], StringComparison.Ordinal)));
        }
        finally
        {
            File.Delete(log);
        }
    }

    private static ModelInferRequest Request(byte[] envelope) => new()
    {
        ModelName = "spam",
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "query", Datatype = "UINT8", Shape = { envelope.Length } } },
        RawInputContents = { ByteString.CopyFrom(envelope) },
    };
}
