using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Platform;
using Cloister.Platform.Simulation;

namespace Cloister.Coordinator.Tests.Hosting;

/// <summary>A real coordinator on loopback with its state in a folder of its own, and what a client needs to talk to it.</summary>
internal sealed class TestCoordinator : IAsyncDisposable
{
    private static readonly byte[] CoordinatorMeasurement = SHA256.HashData("coordinator"u8);

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-coordinator-").FullName;

    private IEvidenceIssuer? _issuer;

    public TestClock Clock { get; } = new();

    /// <summary>The key that signs simulated evidence of coordinator and workloads.</summary>
    public ECDsa HostKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public CoordinatorHost Host { get; private set; } = null!;

    public CoordinatorOptions Options { get; private set; } = null!;

    public string SealFolder => Options.SealFolder;

    /// <summary>What the coordinator failed at by its own account: a refusal is none.</summary>
    public FailureLog Failures { get; } = new();

    /// <param name="configure">Changes the options.</param>
    /// <param name="issuer">The source of its evidence; simulated if null.</param>
    public static async Task<TestCoordinator> StartAsync(Func<CoordinatorOptions, CoordinatorOptions>? configure = null, IEvidenceIssuer? issuer = null)
    {
        var coordinator = new TestCoordinator { _issuer = issuer };
        var options = new CoordinatorOptions
        {
            ClientAddress = "localhost:0",
            MeshAddress = "localhost:0",
            SealFolder = Path.Combine(coordinator._root, "seal"),
            HostKeyFolder = Path.Combine(coordinator._root, "host"),
        };
        coordinator.Options = configure?.Invoke(options) ?? options;
        await coordinator.OpenAsync();
        return coordinator;
    }

    public async Task RestartAsync()
    {
        await Host.DisposeAsync();
        await OpenAsync();
    }

    public TestOnlyIssuer WorkloadIssuer(string measurement = TestManifest.Measurement) => new(HostKey, Convert.FromHexString(measurement));

    public SimulationPolicy CoordinatorPolicy => new TestOnlyIssuer(HostKey, CoordinatorMeasurement).Policy;

    /// <summary>An HTTP client of the client port; <paramref name="serverKey"/> is told the server's key.</summary>
    public HttpClient Client(X509Certificate2? certificate = null, Action<byte[]>? serverKey = null) => Connect(Host.ClientAddress.Port, certificate, serverKey);

    public HttpClient Mesh(X509Certificate2? certificate, Action<byte[]>? serverKey = null) => Connect(Host.MeshAddress.Port, certificate, serverKey);

    public async Task<(int Code, JsonElement Json)> GetAsync(string path, X509Certificate2? certificate = null)
    {
        using HttpClient client = Client(certificate);
        return await ReadAsync(await client.GetAsync(path));
    }

    public async Task<(int Code, JsonElement Json)> PostAsync(string path, string body, X509Certificate2? certificate = null, string contentType = "application/json")
    {
        using HttpClient client = Client(certificate);
        return await ReadAsync(await client.PostAsync(path, new StringContent(body, Encoding.UTF8, contentType)));
    }

    public Task<(int Code, JsonElement Json)> SetManifestAsync(string manifest, params (ECDsa Key, string Over)[] owners) =>
        PostAsync("/api/v3/manifest", TestManifest.Request(manifest, owners));

    public static async Task<(int Code, JsonElement Json)> ReadAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return ((int)response.StatusCode, JsonDocument.Parse(text).RootElement);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        HostKey.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private async Task OpenAsync() => Host = await CoordinatorHost.CreateAsync(
        Options, Options.Simulation ? null : _issuer ?? new TestOnlyIssuer(HostKey, CoordinatorMeasurement), VerifierRegistry.CreateDefault(), Failures, Clock, default);

    public static HttpClient Connect(int port, X509Certificate2? certificate, Action<byte[]>? serverKey)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, server, _, _) =>
                {
                    serverKey?.Invoke(((X509Certificate2)server!).PublicKey.ExportSubjectPublicKeyInfo());
                    return server is not null;
                },
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{port}") };
    }
}
