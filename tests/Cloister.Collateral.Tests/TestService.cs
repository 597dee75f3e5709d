using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cloister.Collateral.Tests;

/// <summary>A vendor's service on this machine: real sockets, documents by path and query, faults in the order in which they are queued.</summary>
internal sealed class TestService : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly TestTime _time;
    private readonly ConcurrentQueue<RequestDelegate> _faults = new();

    private TestService(WebApplication application, TestTime time) => (_application, _time) = (application, time);

    /// <summary>What was asked for, and when.</summary>
    public ConcurrentQueue<(string Path, DateTimeOffset At)> Asked { get; } = new();

    /// <summary>Documents and headers by path and query.</summary>
    public ConcurrentDictionary<string, (byte[] Body, (string Name, string Value)[] Headers)> Documents { get; } = new();

    public Uri Address => new(_application.Urls.Single());

    /// <summary>Seconds between one request and the next.</summary>
    public double[] Gaps => [.. Asked.Zip(Asked.Skip(1), (one, next) => (next.At - one.At).TotalSeconds)];

    public static async Task<TestService> StartAsync(TestTime time, X509Certificate2? tls = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(server => server.Listen(System.Net.IPAddress.Loopback, 0, listen =>
        {
            if (tls is not null) listen.UseHttps(tls);
        }));
        WebApplication application = builder.Build();
        var service = new TestService(application, time);
        application.Run(service.AnswerAsync);
        await application.StartAsync();
        return service;
    }

    public CollateralServiceOptions Options => new() { Address = Address, Time = _time, Timeout = TestTime.RequestTimeout };

    public void Add(string path, byte[] body, params (string Name, string Value)[] headers) => Documents[path] = (body, headers);

    /// <summary>The next request that has no answer yet gets this one.</summary>
    public void Fault(RequestDelegate fault) => _faults.Enqueue(fault);

    public void Fault(int status, params (string Name, string Value)[] headers) => Fault(context =>
    {
        context.Response.StatusCode = status;
        foreach ((string name, string value) in headers) context.Response.Headers[name] = value;
        return Task.CompletedTask;
    });

    public void FaultBody(byte[] body, string? encoding = null, bool lengthIsSaid = true) => Fault(async context =>
    {
        if (encoding is not null) context.Response.Headers.ContentEncoding = encoding;
        if (lengthIsSaid) context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    });

    /// <summary>Sends the beginning, then breaks the connection.</summary>
    public void FaultBroken(byte[] beginning, long? length) => Fault(async context =>
    {
        context.Response.ContentLength = length;
        await context.Response.Body.WriteAsync(beginning);
        await context.Response.Body.FlushAsync();
        context.Abort();
    });

    /// <summary>Sends the beginning, then nothing until the client has lost its patience.</summary>
    public void FaultSlow(byte[] beginning) => Fault(async context =>
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
        if (beginning.Length > 0)
        {
            await context.Response.Body.WriteAsync(beginning);
            await context.Response.Body.FlushAsync();
        }
        _time.ExpireRequests();
        await gone.Task;
    });

    /// <summary>Sends without end and without saying how much.</summary>
    public void FaultEndless() => Fault(async context =>
    {
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        var part = new byte[16 * 1024];
        while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(part, context.RequestAborted);
    });

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(new CancellationToken(true));
        await _application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!.TrimStart('/') + context.Request.QueryString;
        Asked.Enqueue((path, _time.GetUtcNow()));
        if (_faults.TryDequeue(out RequestDelegate? fault))
        {
            await fault(context);
            return;
        }
        if (!Documents.TryGetValue(path, out var document))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        foreach ((string name, string value) in document.Headers) context.Response.Headers[name] = value;
        context.Response.ContentLength = document.Body.Length;
        await context.Response.Body.WriteAsync(document.Body);
    }
}
