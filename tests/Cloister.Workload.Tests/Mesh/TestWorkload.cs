using System.Net;
using System.Net.Security;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Cloister.Tests.Mesh;

/// <summary>A tiny server on loopback: a workload's, or an attacker's with a certificate of its own.</summary>
internal sealed class TestWorkload : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestWorkload(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));

    /// <summary>Paths that were asked for, evidence aside.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Serves evidence, <c>/hello</c>, and what the test adds.</summary>
    public static Task<TestWorkload> StartAsync(WorkloadIdentity identity, Action<WebApplication>? routes = null, bool askForClientCertificate = false) =>
        StartAsync(listen => listen.UseWorkloadCertificate(identity, askForClientCertificate), application =>
        {
            application.MapWorkloadEvidence(identity);
            application.MapGet("/hello", () => "hello");
            routes?.Invoke(application);
        });

    /// <summary>Serves under any certificate.</summary>
    public static Task<TestWorkload> StartAsync(SslStreamCertificateContext certificate, Action<WebApplication> routes) =>
        StartAsync(listen => listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate, AllowTlsResume = false }),
        }), routes);

    private static async Task<TestWorkload> StartAsync(Action<ListenOptions> listen, Action<WebApplication> routes)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen));
        WebApplication application = builder.Build();
        var workload = new TestWorkload(application);
        application.Use(async (http, next) =>
        {
            if (!http.Request.Path.StartsWithSegments("/.well-known", StringComparison.Ordinal))
            {
                lock (workload.Requests)
                    workload.Requests.Add(http.Request.Path);
            }
            await next();
        });
        routes(application);
        await application.StartAsync();
        return workload;
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();
}
