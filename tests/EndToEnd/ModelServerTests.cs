using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>A start line of tensorflow_model_server, moved over by changing the program's name: activated, serving, watched.</summary>
public sealed class ModelServerTests
{
    [Fact]
    public async Task A_start_line_moves_over()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        string program = await PrepareAsync(deployment);
        using var collector = new Collector();
        int rest = FreePort(), grpc = FreePort();
        await File.WriteAllTextAsync(deployment["models.config"], $$"""
            model_config_list { config { name: 'shapes' base_path: '{{deployment["models/shapes"]}}' model_platform: 'tensorflow' model_version_policy { all { } } } }
            """);
        await File.WriteAllTextAsync(deployment["monitoring.config"], "prometheus_config { enable: true }");
        var start = new ProcessStartInfo(Path.Combine(program, "cloister"),
        [
            "model-server", "--json", $"--port={grpc}", $"--rest_api_port={rest}", $"--model_config_file={deployment["models.config"]}", $"--monitoring_config_file={deployment["monitoring.config"]}",
            "--rest_api_num_threads", "16", "--access-log", deployment["access.jsonl"], "--bind", "127.0.0.1", "--simulator", deployment.SimulatorSocket, "--uuid-file", deployment["uuid"],
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in new[]
        {
            ("EDG_MARBLE_TYPE", "inference"), ("EDG_MARBLE_COORDINATOR_ADDR", deployment.MeshAddress),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_BSP_SCHEDULE_DELAY", "200"), ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        })
            start.Environment[name] = value;
        using Process server = Process.Start(start)!;
        try
        {
            Assert.Contains("--rest_api_num_threads has no meaning here", (string)(await CloisterCommand.WaitForAsync(server, "note"))["message"]!, StringComparison.Ordinal);
            JsonObject serving = await CloisterCommand.WaitForAsync(server, "serving");
            Assert.Equal(rest.ToString(System.Globalization.CultureInfo.InvariantCulture), (string)serving["port"]!);
            await AskAsync(rest, grpc);
            await collector.SeenAsync("/v1/traces", "tensorflow-rest predict", "cloister.model", "compute");
            await collector.SeenAsync("/v1/metrics", "cloister.serving.request.duration");
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
        }
        string[] lines = await File.ReadAllLinesAsync(deployment["access.jsonl"]);
        Assert.Contains(lines, line => (string?)JsonNode.Parse(line)!["model"] == "shapes" && (int)JsonNode.Parse(line)!["status"]! == 200);
    }

    [Theory]
    [InlineData("--no_such_flag=1", "is not a flag")]
    [InlineData("--port=8500", "Nothing says what to serve")]
    [InlineData("--use_alts_credentials", "activation")]
    public async Task A_line_that_cannot_be_followed_is_refused_before_anything_starts(string flag, string reason)
    {
        Ended ended = await CloisterCommand.RunAsync("model-server", flag);
        Assert.Equal(2, ended.Code);
        Assert.Contains(reason, ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settings_file_that_cannot_be_followed_is_refused_with_its_place()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["models.config"], "model_config_list {\n  config { nome: 'm' }\n}");
        Ended ended = await CloisterCommand.RunAsync("model-server", "--model_config_file", folder["models.config"]);
        Assert.Equal(4, ended.Code);
        Assert.Contains("models.config:2:12: ModelConfig has no field 'nome'", ended.Error, StringComparison.Ordinal);
    }

    private static async Task AskAsync(int rest, int grpc)
    {
        // Whom the server is, other tests prove; here its certificate is the coordinator's business.
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null;
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(5) };
        string picture = Convert.ToBase64String(await File.ReadAllBytesAsync(Path.Combine(TestData.RepositoryRoot, "samples", "Shapes", "pictures", "star.png")));
        foreach (int port in (int[])[rest, grpc])
        {
            using HttpResponseMessage answer = await client.PostAsync(new Uri($"https://127.0.0.1:{port}/v1/models/shapes/versions/7:predict"), new StringContent($$"""{"instances": [{"b64": "{{picture}}"}]}"""));
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
        // A request is counted once its answer was sent.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        string metrics;
        while (!(metrics = await client.GetStringAsync(new Uri($"https://127.0.0.1:{rest}/monitoring/prometheus/metrics"), patience.Token)).Contains(""":tensorflow:serving:request_count{model_name="shapes",status="OK"} 2""", StringComparison.Ordinal))
            await Task.Delay(50, patience.Token);
        Assert.Contains("cloister_serving_evidence_simulated 1\n", metrics, StringComparison.Ordinal);
        string page = await client.GetStringAsync(new Uri($"https://127.0.0.1:{rest}/status"));
        Assert.Contains("simulated: it proves nothing", page, StringComparison.Ordinal);
    }

    /// <summary>Seals a model, sets a manifest that grants it to anybody, and releases its key; gives the workload's program folder.</summary>
    private static async Task<string> PrepareAsync(Deployment deployment)
    {
        string program = deployment["program"], model = Path.Combine(TestData.RepositoryRoot, "samples", "Shapes", "model");
        foreach (string folder in Directory.EnumerateDirectories(CloisterCommand.Folder, "*", SearchOption.AllDirectories).Prepend(CloisterCommand.Folder))
            Directory.CreateDirectory(Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, folder)));
        foreach (string source in Directory.EnumerateFiles(CloisterCommand.Folder, "*", SearchOption.AllDirectories))
            File.Copy(source, Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, source)));
        await File.WriteAllTextAsync(Path.Combine(program, "coordinator-policy.json"), deployment.PolicyText);
        await File.WriteAllTextAsync(deployment["policy.json"], deployment.PolicyText);
        (await CloisterCommand.RunAsync("model", "keygen", "--out", deployment["owner"])).Succeeded();
        (await CloisterCommand.RunAsync("user", "keygen", "--name", "owner", "--out", deployment["owner"])).Succeeded();
        Directory.CreateDirectory(deployment["models/shapes/7"]);
        Ended sealing = await CloisterCommand.RunAsync("model", "seal", "--json", "--model", Path.Combine(model, "shapes.onnx"), "--labels", Path.Combine(model, "labels.txt"), "--preprocess", "unit",
            "--name", "shapes", "--version", "7", "--key", deployment["owner/model.key"], "--maker", deployment["owner/maker.pem"], "--out", deployment["models/shapes/7/model.sealed"]);
        sealing.Succeeded();
        string certificate = System.Text.Json.JsonSerializer.Serialize(await File.ReadAllTextAsync(deployment["owner/owner.crt"]));
        string manifest = $$"""
            {
              "Packages": { "serving": {{deployment.Package(await Deployment.MeasureAsync(program))}} },
              "Marbles": { "inference": { "Package": "serving", "Models": ["shapes"] } },
              "Secrets": { "shapes-key": { "Type": "symmetric-key", "Size": 256, "UserDefined": true } },
              "Models": { "shapes": { "Digest": "{{sealing.Lines[^1]["digest"]}}", "MakerKey": "{{sealing.Lines[^1]["makerKey"]}}", "Secret": "shapes-key", "MinimumVersion": 1 } },
              "AnonymousModels": ["shapes"],
              "Users": { "owner": { "Certificate": {{certificate}}, "Roles": ["release"] } },
              "Roles": { "release": { "ResourceType": "Secrets", "ResourceNames": ["shapes-key"], "Actions": ["WriteSecret"] } }
            }
            """;
        await File.WriteAllTextAsync(deployment["manifest.json"], manifest);
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientAddress, Encoding.UTF8.GetBytes(manifest), []);
        (await CloisterCommand.RunAsync("secret", "set", "shapes-key", "--model-key", deployment["owner/model.key"], "--manifest", deployment["manifest.json"], "--coordinator", deployment.ClientAddress.AbsoluteUri,
            "--policy", deployment["policy.json"], "--cert", deployment["owner/owner.crt"], "--key", deployment["owner/owner.key"])).Succeeded();
        return program;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>An OpenTelemetry collector that keeps what it is sent over OTLP with HTTP.</summary>
    private sealed class Collector : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly ConcurrentQueue<(string Path, string Body)> _received = new();
        private readonly Task _listening;

        public Collector()
        {
            Address = $"http://127.0.0.1:{FreePort()}";
            _listener.Prefixes.Add(Address + "/");
            _listener.Start();
            _listening = Task.Run(ListenAsync);
        }

        public string Address { get; }

        public async Task SeenAsync(string path, params string[] texts)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            while (!texts.All(text => _received.Any(request => request.Path == path && request.Body.Contains(text, StringComparison.Ordinal))))
                await Task.Delay(50, patience.Token);
        }

        public void Dispose() => _listener.Close();

        private async Task ListenAsync()
        {
            try
            {
                while (true)
                {
                    HttpListenerContext context = await _listener.GetContextAsync();
                    using var body = new MemoryStream();
                    await context.Request.InputStream.CopyToAsync(body);
                    _received.Enqueue((context.Request.Url!.AbsolutePath, Encoding.Latin1.GetString(body.ToArray())));
                    context.Response.ContentType = "application/x-protobuf";
                    context.Response.Close();
                }
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
