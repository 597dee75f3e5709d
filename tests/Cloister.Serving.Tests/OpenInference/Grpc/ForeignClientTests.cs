using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Tests.Server;
using Cloister.Tests;
using Google.Protobuf;

namespace Cloister.Serving.Tests.OpenInference.Grpc;

/// <summary>The gRPC surface as others meet it: grpc-js, grpcio, h2load and curl, each in a process of its own, over TLS.</summary>
public sealed class ForeignClientTests
{
    private static readonly string[] s_services =
        ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "inference.GRPCInferenceService"];

    [ForeignClientFact("grpc-js")]
    public async Task Grpc_js_is_answered()
    {
        await using TestServer server = await StartAsync();
        Dictionary<string, JsonObject> results = await RunAsync(server, "node", [Path.Combine(Folder("node"), "grpc.mjs"), server.Host.Address.Authority, "{root}", Path.Combine(TestData.RepositoryRoot, "src")]);
        DemandInference(results);
        Assert.Equal(3, Code(results, "wrong shape"));
        Assert.Contains("MODEL_NOT_FOUND", results["no such model"]["rich"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("true", Text(results, "live", 0));
        Assert.Equal(["onnxruntime_onnx", "x", "FP32", "-1"], results["metadata"]["values"]!.AsArray().Select(value => value!.ToString()));
        foreach (string service in new[] { "", "half", "inference.GRPCInferenceService" }) Assert.Equal("SERVING", Text(results, $"health {service}", 0));
        Assert.Equal(5, Code(results, "health nothing"));
        Assert.Equal("SERVICE_UNKNOWN", Text(results, "watch", 0));
        DemandServices(results["reflection"]["answers"]![0]!.AsArray());
    }

    [ForeignClientFact("grpcio")]
    public async Task Grpcio_learns_the_service_by_reflection_and_is_answered()
    {
        await using TestServer server = await StartAsync();
        Dictionary<string, JsonObject> results = await RunAsync(server, ForeignClientFactAttribute.Python, [Path.Combine(Folder("python"), "grpc_client.py"), server.Host.Address.Authority, "{root}"]);
        DemandInference(results);
        Assert.Equal("4", Text(results, "deflated", 0));
        Assert.Equal("0801", Text(results, "health", 0));
        Assert.Equal("0803", Text(results, "watch", 0));
        DemandServices(results["reflection"]["values"]!.AsArray());
    }

    [ForeignClientFact("h2load")]
    public async Task H2load_finds_every_request_answered()
    {
        await using TestServer server = await StartAsync();
        string body = await BodyAsync();
        string output = await OutputAsync("h2load", ["-n", "400", "-c", "4", "-m", "10", "-H", "content-type: application/grpc", "-H", "te: trailers", "-d", body, $"{server.Host.Address}inference.GRPCInferenceService/ModelInfer"]);
        File.Delete(body);
        Assert.Contains("400 succeeded, 0 failed, 0 errored, 0 timeout", output, StringComparison.Ordinal);
        Assert.Contains("status codes: 400 2xx", output, StringComparison.Ordinal);
        using var client = new GrpcClient(server);
        ModelStatisticsResponse statistics = await client.CallAsync("ModelStatistics", new ModelStatisticsRequest { Name = "half" }, ModelStatisticsResponse.Parser);
        Assert.Equal(400UL, statistics.ModelStats[0].InferenceStats.Success.Count);
    }

    [ForeignClientFact("curl")]
    public async Task Curl_sees_the_trailers()
    {
        await using TestServer server = await StartAsync();
        string body = await BodyAsync(), headers = Path.GetTempFileName(), answer = Path.GetTempFileName();
        string[] arguments =
        [
            "--silent", "--show-error", "--http2", "--insecure", "--data-binary", $"@{body}", "-H", "content-type: application/grpc", "-H", "te: trailers",
            "--dump-header", headers, "--output", answer, "--write-out", "%{http_version} %{http_code}",
        ];
        Assert.Equal("2 200", await OutputAsync("curl", [.. arguments, $"{server.Host.Address}inference.GRPCInferenceService/ModelInfer"]));
        Assert.Contains("grpc-status: 0", await File.ReadAllTextAsync(headers), StringComparison.Ordinal);
        ModelInferResponse response = ModelInferResponse.Parser.ParseFrom((await File.ReadAllBytesAsync(answer)).AsSpan(5));
        Assert.Equal(2.5f, BitConverter.ToSingle(response.RawOutputContents[0].Span));
        Assert.Equal("2 200", await OutputAsync("curl", [.. arguments, $"{server.Host.Address}inference.GRPCInferenceService/Nothing"]));
        Assert.Contains("grpc-status: 12", await File.ReadAllTextAsync(headers), StringComparison.Ordinal);
        foreach (string file in new[] { body, headers, answer }) File.Delete(file);
    }

    private static void DemandInference(Dictionary<string, JsonObject> results)
    {
        Assert.Equal(["2.5", "3", "4.5"], results["raw"]["values"]!.AsArray().Select(Number));
        Assert.Equal(["2.5", "3"], results["typed"]["values"]!.AsArray().Select(Number));
        Assert.Equal(("3", "8000000"), (Text(results, "large", 0), results["large"]["bytes"]!.ToString()));
        Assert.Equal(("4", "400000"), (Text(results, "compressed", 0), results["compressed"]["bytes"]!.ToString()));
        Assert.Equal((5, "There is no model 'other' here."), (Code(results, "no such model"), results["no such model"]["details"]!.ToString()));
        Assert.Equal(4, Code(results, "deadline"));
        Assert.Equal(1, Code(results, "cancelled"));
        Assert.Equal("3", Text(results, "after them", 0)); // the only thread was given back
        Assert.Equal(["a2", "error", "c3"], results["stream"]["answers"]!.AsArray().Select(answer => answer!.ToString()));
    }

    private static void DemandServices(JsonArray services) => Assert.All(s_services, service => Assert.Contains(service, services.Select(listed => listed!.ToString())));

    private static int Code(Dictionary<string, JsonObject> results, string name) => (int)results[name]["code"]!;

    private static string Text(Dictionary<string, JsonObject> results, string name, int index) => Number(results[name]["values"]![index]);

    private static string Number(JsonNode? value) => value!.GetValueKind() == System.Text.Json.JsonValueKind.Number
        ? ((double)value).ToString(System.Globalization.CultureInfo.InvariantCulture)
        : value.ToString();

    private static async Task<TestServer> StartAsync() => await TestServer.StartAsync(
        await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("loop", TestModels.Loop),
        options => options with { Executor = new ExecutorOptions { Threads = 1 } });

    private static string Folder(string name) => Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Serving.Tests", name);

    private static async Task<string> BodyAsync()
    {
        byte[] message = GrpcClient.Raw("half", "FP32", [1], 1f).ToByteArray();
        string path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, [0, 0, 0, 0, (byte)message.Length, .. message]);
        return path;
    }

    private static async Task<Dictionary<string, JsonObject>> RunAsync(TestServer server, string program, string[] arguments)
    {
        string root = Path.GetTempFileName();
        await File.WriteAllTextAsync(root, server.CertificatePem);
        string output = await OutputAsync(program, [.. arguments.Select(argument => argument == "{root}" ? root : argument)]);
        File.Delete(root);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToDictionary(result => result["name"]!.ToString());
    }

    private static async Task<string> OutputAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token), error = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {await error}");
            return await output;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
