using Cloister.Platform;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Workload;

/// <summary>Serves a workload's evidence to whoever asks with a fresh nonce: <c>GET /.well-known/cloister/evidence?nonce=base64url</c>.</summary>
public static class EvidenceEndpoint
{
    /// <summary>Evidence produced at a time, and requests that may wait for it: a TEE signs slowly. More are answered 503 with <c>Retry-After</c>.</summary>
    public const int Concurrency = 4, Waiting = 60;

    /// <summary>Maps the endpoint. Evidence is bound to the key of the TLS connection that the request came on.</summary>
    /// <param name="routes">The application's routes.</param>
    /// <param name="identity">The workload.</param>
    public static IEndpointConventionBuilder MapWorkloadEvidence(this IEndpointRouteBuilder routes, WorkloadIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(identity);
        ILogger logger = routes.ServiceProvider.GetService<ILoggerFactory>()?.CreateLogger(typeof(EvidenceEndpoint).FullName!) ?? NullLogger.Instance;
        if (identity.Simulated)
            logger.ServingSimulatedEvidence(identity.MarbleType);
        var door = new EvidenceDoor(identity, logger);
        routes.ServiceProvider.GetService<IHostApplicationLifetime>()?.ApplicationStopped.Register(door.Dispose);
        return routes.MapGet(RestPaths.WorkloadEvidence, door.AnswerAsync);
    }
}

/// <summary>The endpoint's state: how many requests are being answered.</summary>
internal sealed class EvidenceDoor(WorkloadIdentity identity, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _issuing = new(EvidenceEndpoint.Concurrency);
    private int _inside;

    public async Task AnswerAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!NonceText.TryDecode(http.Request.Query["nonce"], out byte[]? nonce))
        {
            await RefuseAsync(http, StatusCodes.Status400BadRequest,
                $"The query must hold nonce=, {NonceText.MinBytes} to {NonceText.MaxBytes} fresh random bytes in base64url.");
            return;
        }
        if (Interlocked.Increment(ref _inside) > EvidenceEndpoint.Concurrency + EvidenceEndpoint.Waiting)
        {
            Interlocked.Decrement(ref _inside);
            http.Response.Headers.RetryAfter = "1";
            await RefuseAsync(http, StatusCodes.Status503ServiceUnavailable, "Too many requests for evidence are waiting; ask again in a second.");
            return;
        }
        try
        {
            await _issuing.WaitAsync(http.RequestAborted);
            try
            {
                await IssueAsync(http, nonce);
            }
            finally
            {
                _issuing.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    private async Task IssueAsync(HttpContext http, byte[] nonce)
    {
        WorkloadCertificate certificate = WorkloadTls.ConnectionCertificate(http) ?? identity.Current;
        byte[] evidence;
        try
        {
            evidence = await identity.IssueEvidenceAsync(certificate, nonce, http.RequestAborted);
        }
        catch (PlatformException e)
        {
            logger.EvidenceFailed(e);
            await RefuseAsync(http, StatusCodes.Status503ServiceUnavailable, "This machine cannot produce evidence now; the workload's log says why.");
            return;
        }
        await SendAsync(http, StatusCodes.Status200OK, RestJson.Write(
            JSend.Of(new WorkloadEvidenceV3(evidence, certificate.ChainPem, identity.Simulated)), RestJson.Strict.JSendWorkloadEvidenceV3));
    }

    public void Dispose() => _issuing.Dispose();

    private static Task RefuseAsync(HttpContext http, int status, string reason) =>
        SendAsync(http, status, RestJson.Write(JSend.FailOf(reason), RestJson.Strict.JSendObject));

    // The length is always said: a verifier reads exactly this answer from its connection, and then uses the connection.
    private static async Task SendAsync(HttpContext http, int status, byte[] body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
