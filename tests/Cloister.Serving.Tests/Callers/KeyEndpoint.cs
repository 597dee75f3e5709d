using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Tests.Callers;

/// <summary>An issuer's key set behind real TLS, whose certificate a root of its own signed. What it answers is the test's.</summary>
internal sealed class KeyEndpoint : IAsyncDisposable
{
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly SemaphoreSlim _asked = new(0);
    private WebApplication? _application;
    private int _port;

    public KeyEndpoint()
    {
        var request = new CertificateRequest("CN=keys' root", _rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Root = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
    }

    public X509Certificate2 Root { get; }

    public Uri Address => new($"https://localhost:{_port}/jwks");

    /// <summary>What a request is answered.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public void Serve(params TokenSigner[] signers)
    {
        byte[] set = TokenSigner.Set(signers);
        Answer = async http =>
        {
            http.Response.ContentType = "application/jwk-set+json";
            await http.Response.Body.WriteAsync(set, http.RequestAborted);
        };
    }

    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        X509Certificate2 certificate = Issue();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port, listen => listen.UseHttps(certificate)));
        _application = builder.Build();
        _application.Run(async http =>
        {
            _asked.Release();
            await Answer(http);
        });
        await _application.StartAsync();
        _port = new Uri(_application.Urls.Single()).Port;
    }

    /// <summary>Ends when the next request has come.</summary>
    public async Task AskedAsync() => Assert.True(await _asked.WaitAsync(TimeSpan.FromSeconds(60)));

    public async Task StopAsync()
    {
        if (_application is not null) await _application.DisposeAsync();
        _application = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Root.Dispose();
        _rootKey.Dispose();
        _asked.Dispose();
    }

    private X509Certificate2 Issue()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 bare = request.Create(Root, Root.NotBefore, Root.NotAfter, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 joined = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), null);
    }
}
