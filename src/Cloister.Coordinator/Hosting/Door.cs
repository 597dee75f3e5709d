using System.Net;
using Cloister.Platform;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator;

/// <summary>One port with its bounds, with TLS but for metrics. Made of nothing but its arguments: no configuration file and no variable of the host reaches it.</summary>
internal sealed class Door : IAsyncDisposable
{
    private const int HandshakeSeconds = 10, KeepAliveSeconds = 60, MaxHeadBytes = 16 << 10, MaxBodyBytes = 8 << 20;

    private readonly WebApplication _application;

    private Door(WebApplication application, IPEndPoint address) => (_application, Address) = (application, address);

    public IPEndPoint Address { get; }

    /// <summary>Every path with its method.</summary>
    public IEnumerable<(string Method, string Path)> Routes =>
        from endpoint in ((IEndpointRouteBuilder)_application).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        select (method, endpoint.RoutePattern.RawText!);

    public static async Task<Door> OpenAsync(
        IPEndPoint address, HttpProtocols protocols, TlsIdentity? tls, CoordinatorOptions options, ILoggerFactory loggers, Action<IEndpointRouteBuilder> map, CancellationToken cancellation,
        Func<IEndpointRouteBuilder, Func<HttpContext, RequestDelegate, Task>>? around = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        var connections = new ConnectionBook(ConnectionBook.Fitting(options.MaxConnections, ProcessLimits.OpenFiles));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            Bound(kestrel, options);
            kestrel.Listen(address, listen =>
            {
                listen.Protocols = protocols;
                listen.Use(next => connection => connections.RunAsync(connection, next));
                if (tls is null)
                    return;
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => ValueTask.FromResult(tls.Options()),
                    HandshakeTimeout = TimeSpan.FromSeconds(HandshakeSeconds),
                });
            });
        });
        WebApplication application = builder.Build();
        try
        {
            application.Use(next => http => ConnectionBook.RunAsync(http, next));
            application.UseRouting();
            map(application);
            if (around?.Invoke(application) is { } measure)
                application.Use(next => http => measure(http, next));
            application.UseEndpoints(static _ => { });
            await application.StartAsync(cancellation);
            string bound = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            return new Door(application, new IPEndPoint(address.Address, BindingAddress.Parse(bound).Port));
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    private static void Bound(KestrelServerOptions kestrel, CoordinatorOptions options)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxRequestBodySize = MaxBodyBytes;
        limits.MaxRequestHeadersTotalSize = MaxHeadBytes;
        limits.RequestHeadersTimeout = options.SlowClientGrace;
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(KeepAliveSeconds);
        limits.MinRequestBodyDataRate = new MinDataRate(240, options.SlowClientGrace);
        limits.MinResponseDataRate = new MinDataRate(240, options.SlowClientGrace);
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(KeepAliveSeconds);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}
