using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Cloister.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Cloister.Cli.Page;

/// <summary>
/// Serves a page from this machine to this machine's browser, and takes its encrypted queries to one model of a verified deployment. The
/// code that sees a person's data comes from here, never from the server that must not see it; the browser cannot verify evidence, so
/// this does. It forwards the three requests of the encrypted surface and nothing else.
/// </summary>
internal sealed class PageServer : IAsyncDisposable
{
    // A page may load from its own origin and talk to its own origin: nothing that it holds can leave by another way.
    private const string ContentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private const long MaxQueryBytes = 64 << 20;

    private readonly WebApplication _application;
    private readonly PageFiles _files;
    private readonly AttestedHttpHandler _handler;
    private readonly HttpMessageInvoker _deployment;
    private readonly PageTarget _target;
    private AttestedWorkload? _workload;

    private PageServer(WebApplication application, PageFiles files, AttestedHttpHandler handler, PageTarget target)
    {
        (_application, _files, _handler, _target) = (application, files, handler, target);
        _deployment = new HttpMessageInvoker(handler);
        handler.Verified = workload => _workload = workload;
    }

    /// <summary>Where the page is.</summary>
    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Starts serving.</summary>
    /// <param name="files">The page.</param>
    /// <param name="handler">How queries travel; disposed with this.</param>
    /// <param name="target">Which model they are for.</param>
    /// <param name="port">A port of 127.0.0.1; 0 takes a free one.</param>
    /// <param name="cancellation">Ends the start.</param>
    public static async Task<PageServer> StartAsync(PageFiles files, AttestedHttpHandler handler, PageTarget target, int port, CancellationToken cancellation)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = MaxQueryBytes;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        WebApplication application = builder.Build();
        var server = new PageServer(application, files, handler, target);
        application.Run(server.AnswerAsync);
        await application.StartAsync(cancellation);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _deployment.Dispose();
        _handler.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        (headers.ContentSecurityPolicy, headers.XContentTypeOptions, headers.CacheControl) = (ContentPolicy, "nosniff", "no-store");
        headers["Referrer-Policy"] = "no-referrer";
        string path = context.Request.Path.Value ?? "/";
        if (!IsOwn(context.Request))
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "This page answers its own pages only.");
        else if (HttpMethods.IsGet(context.Request.Method) && _files.TryGet(path, out (string Type, byte[] Bytes) file))
            await WriteAsync(context, file.Type, file.Bytes);
        else if (HttpMethods.IsGet(context.Request.Method) && path == "/deployment")
            await WriteAsync(context, "application/json", System.Text.Encoding.UTF8.GetBytes(Deployment().ToJsonString()));
        else if (_target.Takes(context.Request.Method, path))
            await ForwardAsync(context, path);
        else
            await RefuseAsync(context, StatusCodes.Status404NotFound, "There is no such file, and no such request of an encrypted model.");
    }

    /// <summary>Another site's page in the same browser could otherwise ask with this caller's rights: by name (Host, against rebinding) and by origin.</summary>
    private bool IsOwn(HttpRequest request) =>
        request.Host.Value == Address.Authority && (request.Headers.Origin.Count == 0 || request.Headers.Origin == Address.GetLeftPart(UriPartial.Authority))
        && (request.Headers["Sec-Fetch-Site"].Count == 0 || request.Headers["Sec-Fetch-Site"] == "same-origin" || request.Headers["Sec-Fetch-Site"] == "none");

    private async Task ForwardAsync(HttpContext context, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(_target.Workload, path));
        if (_target.Token is { } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (HttpMethods.IsPost(context.Request.Method))
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out MediaTypeHeaderValue? type) ? type : null;
            request.Content.Headers.ContentLength = context.Request.ContentLength;
        }
        try
        {
            using HttpResponseMessage response = await _deployment.SendAsync(request, context.RequestAborted);
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
            await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
        catch (Exception exception) when (exception is ClientException or PeerRefusedException or HttpRequestException)
        {
            await RefuseAsync(context, StatusCodes.Status502BadGateway, exception.Message);
        }
    }

    private JsonObject Deployment() => new()
    {
        ["model"] = _target.Model,
        ["manifest"] = _target.Fingerprint,
        ["workload"] = _workload?.Workload.Measurement,
        ["simulated"] = _target.Simulated || _workload is { Simulated: true },
    };

    private static Task RefuseAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        return WriteAsync(context, "application/json", System.Text.Encoding.UTF8.GetBytes(new JsonObject { ["error"] = reason }.ToJsonString()));
    }

    private static Task WriteAsync(HttpContext context, string type, byte[] bytes)
    {
        (context.Response.ContentType, context.Response.ContentLength) = (type, bytes.Length);
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
