using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Sealing;
using Cloister.Serving.Tests.Repository;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Configuration;

/// <summary>Servers that were started by tensorflow_model_server's flags, over real connections.</summary>
public sealed class ModelServerTests
{
    [Fact]
    public async Task A_model_config_file_is_followed_and_followed_again_when_it_changes()
    {
        await using var models = new Models();
        foreach (long version in (long[])[1, 2, 3]) await models.SealAsync(version);
        string config = Path.Combine(models.Folder, "models.config");
        await File.WriteAllTextAsync(config, Config(models.BasePath, 1, "stable: 1"));
        (int rest, int grpc) = (FreePort(), FreePort());
        ModelServerStart start = await ModelServerFlags.Parse([$"--port={grpc}", $"--rest_api_port={rest}", "--model_config_file=" + config, "--model_config_file_poll_wait_seconds=1", "--file_system_poll_wait_seconds=0", "--allow_version_labels_for_unavailable_models"])
            .ReadAsync(null, IPAddress.Loopback);
        // The flag counts whole seconds; a test need not wait for them.
        await using InferenceHost host = await models.StartAsync(start.Options with { ModelConfigPoll = TimeSpan.FromMilliseconds(20) });
        await host.ModelsLoaded;
        using HttpClient client = models.CreateClient();
        foreach (int port in (int[])[rest, grpc])
            Assert.Equal(11, await PredictAsync(client, port, "/v1/models/model:predict"));
        Assert.Equal(11, await PredictAsync(client, rest, "/v1/models/model/labels/stable:predict"));
        Assert.Null(await PredictAsync(client, rest, "/v1/models/model/versions/2:predict"));

        await File.WriteAllTextAsync(config, Config(models.BasePath, 2, "canary: 3") + "# a half-written file is not followed: {");
        await UntilAsync(async () => await PredictAsync(client, rest, "/v1/models/model/labels/canary:predict") == 13);
        Assert.Equal(12, await PredictAsync(client, rest, "/v1/models/model/versions/2:predict"));
        await File.WriteAllTextAsync(config, "model_config_list { broken");
        await File.WriteAllTextAsync(config, Config(models.BasePath, 3, "stable: 3"));
        await UntilAsync(async () => await PredictAsync(client, rest, "/v1/models/model/labels/stable:predict") == 13);
        await UntilAsync(async () => await PredictAsync(client, rest, "/v1/models/model/versions/2:predict") is null);
    }

    [Fact]
    public async Task Only_clients_whose_authority_is_named_are_answered()
    {
        await using var models = new Models();
        await models.SealAsync(1);
        using X509Certificate2 authority = Authority("clients"), stranger = Authority("strangers");
        string ssl = Path.Combine(models.Folder, "ssl.config");
        await File.WriteAllTextAsync(ssl, $"client_verify: true custom_ca: \"{authority.ExportCertificatePem().ReplaceLineEndings("\\n")}\"");
        ModelServerStart start = await ModelServerFlags.Parse(["--port=1", "--model_name=model", "--model_base_path=" + models.BasePath, "--ssl_config_file=" + ssl]).ReadAsync(null, IPAddress.Loopback);
        await using InferenceHost host = await models.StartAsync(start.Options with { Endpoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await host.ModelsLoaded;
        foreach ((X509Certificate2? certificate, bool answered) in new[] { (Issue(authority), true), (null, false), (Issue(stranger), false), (TestCertificates.Create("self"), false), (Issue(authority, expired: true), false) })
        {
            using HttpClient client = models.CreateClient(certificate);
            Assert.Equal(answered ? 11 : null, await PredictAsync(client, host.Address.Port, "/v1/models/model:predict"));
            using var call = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Address, "/grpc.health.v1.Health/Check")) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(new byte[5]) };
            call.Content.Headers.ContentType = new("application/grpc");
            using HttpResponseMessage response = await client.SendAsync(call);
            Assert.Equal(!answered, response.Headers.TryGetValues("grpc-status", out IEnumerable<string>? status) && status.Single() == "16");
        }
    }

    [Fact]
    public async Task Metrics_are_open_where_the_monitoring_file_says_so()
    {
        await using var models = new Models();
        await models.SealAsync(1);
        string monitoring = Path.Combine(models.Folder, "monitoring.config");
        await File.WriteAllTextAsync(monitoring, "prometheus_config { enable: true }");
        ModelServerStart start = await ModelServerFlags.Parse(["--model_name=model", "--model_base_path=" + models.BasePath, "--monitoring_config_file=" + monitoring]).ReadAsync(null, IPAddress.Loopback);
        await using InferenceHost host = await models.StartAsync(start.Options with { Endpoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await host.ModelsLoaded;
        using HttpClient client = models.CreateClient();
        client.BaseAddress = host.Address;
        Assert.NotEmpty(await Observation.MetricsTests.ScrapeAsync(client, MetricsOptions.TensorFlowPath));
    }

    private static string Config(string basePath, int first, string label) =>
        $$"""
        model_config_list {
          config {
            name: "model" base_path: "{{basePath}}"
            model_version_policy { specific { versions: {{first}}{{(first == 2 ? " versions: 3" : "")}} } }
            version_labels { key: "{{label.Split(':')[0]}}" value: {{label.Split(':')[1]}} }
          }
        }
        """;

    private static async Task<double?> PredictAsync(HttpClient client, int port, string path)
    {
        using HttpResponseMessage response = await client.PostAsync(new Uri($"https://localhost:{port}{path}"), new StringContent("""{"instances": [10]}"""));
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? (double)JsonNode.Parse(text)!["predictions"]![0]! : null;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!await condition()) await Task.Delay(20, patience.Token);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return Reload(request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-10), TimeProvider.System.GetUtcNow().AddDays(10)));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, bool expired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 issued = request.Create(authority, now.AddDays(-5), expired ? now.AddDays(-1) : now.AddDays(5), RandomNumberGenerator.GetBytes(8));
        return Reload(issued.CopyWithPrivateKey(key));
    }

    private static X509Certificate2 Reload(X509Certificate2 made)
    {
        using (made) return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>A base path of versions of one model, as tensorflow_model_server lays them out. Version n answers x + n.</summary>
    private sealed class Models : IAsyncDisposable
    {
        private readonly SecretBytes _key = SecretBytes.Random(32);
        private readonly MakerKey _maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        private readonly X509Certificate2 _certificate = TestCertificates.Create("localhost");

        public string Folder { get; } = Directory.CreateTempSubdirectory("cloister-model-server-").FullName;

        public string BasePath => Path.Combine(Folder, "model");

        public async Task SealAsync(long version)
        {
            string folder = Directory.CreateDirectory(Path.Combine(BasePath, version.ToString(System.Globalization.CultureInfo.InvariantCulture))).FullName;
            await SealedFile.SealAsync(Path.Combine(folder, "model.sealed"), new SealedContent("model", version, [SealedSource.FromBytes("model.onnx", VersionStore.Model(version))]), _key.Memory, _maker);
        }

        public Task<InferenceHost> StartAsync(InferenceOptions options) => InferenceHost.StartAsync(options,
            new ServingGrants([new ModelGrant("model", "", _maker.Public.SubjectPublicKeyInfo, 0, SecretBytes.Copy(_key.Span))], new CallerRights([], ["model"])), new CertificateIdentity(_certificate));

        public HttpClient CreateClient(X509Certificate2? clientCertificate = null)
        {
            var handler = new SocketsHttpHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null && presented.GetRawCertData().SequenceEqual(_certificate.RawData);
            if (clientCertificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => clientCertificate;
            return new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(2) };
        }

        public ValueTask DisposeAsync()
        {
            _key.Dispose();
            _maker.Dispose();
            _certificate.Dispose();
            Directory.Delete(Folder, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
