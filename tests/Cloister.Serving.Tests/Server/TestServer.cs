using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Tests.Server;

/// <summary>A real server on loopback with models that it seals itself, and clients for it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly InferenceHost _host;
    private readonly X509Certificate2 _certificate;
    private readonly string _folder;

    private TestServer(InferenceHost host, X509Certificate2 certificate, string folder)
    {
        (_host, _certificate, _folder) = (host, certificate, folder);
        Client = CreateClient();
    }

    public HttpClient Client { get; }

    public InferenceHost Host => _host;

    public string CertificatePem => _certificate.ExportCertificatePem();

    public static async Task<TestServer> StartAsync(TestStore store, Func<InferenceOptions, InferenceOptions>? change = null, TimeProvider? time = null, Action<ILoggingBuilder>? logging = null)
    {
        var options = new InferenceOptions
        {
            StoreFolder = store.Folder,
            Endpoint = new IPEndPoint(IPAddress.Loopback, 0),
            Executor = new ExecutorOptions { Threads = 2 },
        };
        X509Certificate2 certificate = TestCertificates.Create("localhost");
        var grants = new ServingGrants(store.Grants, store.Rights) { EnvelopeMaster = store.EnvelopeMaster };
        InferenceHost host = await InferenceHost.StartAsync(change is null ? options : change(options), grants, new CertificateIdentity(certificate), logging, time);
        var server = new TestServer(host, certificate, store.Folder);
        await host.ModelsLoaded;
        return server;
    }

    /// <summary>A client that accepts exactly this server's certificate.</summary>
    public HttpClient CreateClient(X509Certificate2? clientCertificate = null, bool http2 = false)
    {
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), Expect100ContinueTimeout = TimeSpan.FromMinutes(5) };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => IsOwn(presented);
        if (clientCertificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => clientCertificate;
        return new HttpClient(handler)
        {
            BaseAddress = _host.Address,
            DefaultRequestVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromMinutes(5),
        };
    }

    public bool IsOwn(X509Certificate? presented) => presented is not null && presented.GetRawCertData().SequenceEqual(_certificate.RawData);

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Client.PostAsync(path, content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using HttpResponseMessage response = await Client.GetAsync(path);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _host.DisposeAsync();
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

internal static class TestCertificates
{
    public static X509Certificate2 Create(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
