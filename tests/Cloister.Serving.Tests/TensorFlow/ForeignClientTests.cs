using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Serving.Tests.OpenInference.Grpc;
using Cloister.Serving.Tests.Server;
using Cloister.Tests;

namespace Cloister.Serving.Tests.TensorFlow;

/// <summary>TF Serving's surfaces as others meet them: curl, Node's fetch, grpc-js and grpcio, each in a process of its own, over TLS.</summary>
public sealed class ForeignClientTests
{
    private const string Refused = "JSON Parse error: Invalid value. at offset: 16";

    [ForeignClientFact("grpc-js")]
    public async Task Fetch_and_grpc_js_are_answered()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Dictionary<string, JsonObject> results = await RunAsync(server, "node", Path.Combine(Folder, "node", "tensorflow.mjs"), "{root}", Path.Combine(TestData.RepositoryRoot, "src"));
        Assert.Equal("{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}", Text(results, "predict"));
        Assert.Equal("{\n    \"outputs\": [\n        2.5\n    ]\n}", Text(results, "gzip"));
        Assert.Equal("{\n    \"results\": [42.25]\n}", Text(results, "regress"));
        Assert.Contains("\"state\": \"AVAILABLE\"", Text(results, "status"), StringComparison.Ordinal);
        Assert.Equal((400, Refusal.Body(Refused)), ((int)results["malformed"]["code"]!, Text(results, "malformed")));

        Assert.Equal("[2.5,3,4.5]", Values(results, "listed"));
        Assert.Equal("[2.5,3]", Values(results, "content"));
        Assert.Equal("[6,6,6,6]", Values(results, "filled"));
        Assert.Equal("[500000,3]", Values(results, "large"));
        Assert.Equal("[\"half\",1,\"serving_default\"]", Values(results, "answered"));
        Assert.Equal((5, "Servable not found for request: Latest(other)"), ((int)results["unknown"]["code"]!, results["unknown"]["details"]!.ToString()));
        Assert.Equal("[42]", Values(results, "regressed"));
        Assert.Equal("[\"type.googleapis.com/tensorflow.serving.SignatureDefMap\"]", Values(results, "metadata"));
        Assert.Equal("[\"1 AVAILABLE\"]", Values(results, "state"));
        Assert.Equal(16, (int)results["reload"]["code"]!); // nobody whom the manifest names
    }

    [ForeignClientFact("grpcio")]
    public async Task Grpcio_learns_the_services_by_reflection_and_is_answered()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Dictionary<string, JsonObject> results = await RunAsync(server, ForeignClientFactAttribute.Python, Path.Combine(Folder, "python", "tensorflow_client.py"), "{root}");
        JsonNode answer = results["predict"]["answer"]!;
        Assert.Equal([2.5, 3, 4.5], answer["outputs"]!["y"]!["float_val"]!.AsArray().Select(value => (double)value!));
        Assert.Equal(("half", "1", "serving_default"), (answer["model_spec"]!["name"]!.ToString(), answer["model_spec"]!["version"]!.ToString(), answer["model_spec"]!["signature_name"]!.ToString()));
        Assert.Equal(42, (double)results["regress"]["answer"]!["result"]!["regressions"]![0]!["value"]!);
        Assert.Equal(3.5, (double)results["multi"]["answer"]!["results"]![0]!["regression_result"]!["regressions"]![0]!["value"]!);
        JsonNode signatures = results["metadata"]["answer"]!["metadata"]!["signature_def"]!["signature_def"]!;
        Assert.Equal("tensorflow/serving/predict", signatures["serving_default"]!["method_name"]!.ToString());
        Assert.Equal("AVAILABLE", results["status"]["answer"]!["model_version_status"]![0]!["state"]!.ToString());
        Assert.Equal((3, "Expects 'x' to be float but int32 is provided"), ((int)results["wrong type"]["code"]!, results["wrong type"]["details"]!.ToString()));
        Assert.Equal((3, "Unrecognized servable version label: stable"), ((int)results["no label"]["code"]!, results["no label"]["details"]!.ToString()));
    }

    [ForeignClientFact("curl")]
    public async Task Curl_is_answered()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Task<string> Ask(string path, params string[] arguments) =>
            OutputAsync("curl", ["--silent", "--show-error", "--insecure", "--max-time", "120", "--write-out", "\n%{http_code} %{content_type}", .. arguments, new Uri(server.Host.Address, path).ToString()]);
        Assert.Equal("{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}\n200 application/json", await Ask("/v1/models/half:predict", "-d", """{"instances": [1.0, 2.0, 5.0]}"""));
        Assert.Equal(Refusal.Body(Refused) + "\n400 application/json", await Ask("/v1/models/half:predict", "-d", """{"instances":[1,]}"""));
        Assert.Equal(Refusal.Body("Malformed request: GET /v1/models/half:predict") + "\n400 application/json", await Ask("/v1/models/half:predict"));
        Assert.EndsWith("\n200 application/json", await Ask("/v1/models/half/metadata"), StringComparison.Ordinal);
    }

    private static string Folder => Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Serving.Tests");

    private static string Text(Dictionary<string, JsonObject> results, string name) => results[name]["text"]!.ToString();

    private static string Values(Dictionary<string, JsonObject> results, string name) => results[name]["values"] is { } values ? values.ToJsonString() : results[name].ToJsonString();

    private static async Task<Dictionary<string, JsonObject>> RunAsync(TestServer server, string program, string script, params string[] arguments)
    {
        string root = Path.GetTempFileName();
        await File.WriteAllTextAsync(root, server.CertificatePem);
        try
        {
            string output = await OutputAsync(program, [script, $"localhost:{server.Host.Address.Port}", .. arguments.Select(argument => argument == "{root}" ? root : argument)], root);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToDictionary(result => result["name"]!.ToString());
        }
        finally
        {
            File.Delete(root);
        }
    }

    private static async Task<string> OutputAsync(string program, string[] arguments, string? root = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        if (root is not null) start.Environment["NODE_EXTRA_CA_CERTS"] = root;
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
