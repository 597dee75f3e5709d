using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cloister.Protocol.Grpc;

/// <summary>What every served call has in common: the checks before it, its deadline, and how whatever happens becomes a status.</summary>
internal abstract class GrpcCall(GrpcMethod method)
{
    protected GrpcMethod Method { get; } = method;

    public async Task ServeAsync(HttpContext http)
    {
        if (!IsGrpc(http)) return;

        // Our own limit refuses with a gRPC status; the server's would cut the connection.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bodySize) bodySize.MaxRequestBodySize = null;
        GrpcResponse.Begin(http.Response);
        string? encoding = GrpcEncodings.Choose(Method.Options.Compression, http.Request.Headers[GrpcHeaders.Encoding], http.Request.Headers[GrpcHeaders.AcceptEncoding]);
        if (encoding is not null) http.Response.Headers[GrpcHeaders.Encoding] = encoding;

        using var deadline = new CallDeadline(Method.Options);
        GrpcCallContext? context = null;
        GrpcException? refusal = null;
        try
        {
            deadline.Start(http);
            context = new GrpcCallContext(http, deadline.At);
            await RunAsync(context, deadline, encoding);
        }
#pragma warning disable CA1031 // Whatever a call ends with is a status; only that and the log's entry leave this place.
        catch (Exception error)
#pragma warning restore CA1031
        {
            refusal = Refusal(error, http, deadline);
        }
        if (refusal is null) GrpcResponse.AppendStatus(http.Response, GrpcStatus.Ok, null, context!.OwnTrailers);
        else GrpcResponse.AppendRefusal(http.Response, refusal);
        await http.Response.CompleteAsync();
    }

    /// <summary>Reads, calls the handler and writes. It ends without an exception only where the call succeeded.</summary>
    protected abstract Task RunAsync(GrpcCallContext context, CallDeadline deadline, string? encoding);

    /// <summary>Checks what only the handler's end shows: trailers that cannot travel, a deadline that it did not heed.</summary>
    protected static void RequireSuccess(GrpcCallContext context, CallDeadline deadline)
    {
        if (context.OwnTrailers is { } trailers) GrpcHeaders.RequireTrailers(trailers);
        if (deadline.Passed) throw new OperationCanceledException();
    }

    private static bool IsGrpc(HttpContext http)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol))
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            http.Response.Headers.Upgrade = "h2";
            return false;
        }
        if (GrpcHeaders.IsGrpc(http.Request.ContentType)) return true;
        http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        return false;
    }

    private GrpcException Refusal(Exception error, HttpContext http, CallDeadline deadline)
    {
        switch (error)
        {
            case GrpcException refused:
                return refused;
            case OperationCanceledException when deadline.Passed:
                return new GrpcException(GrpcStatus.DeadlineExceeded, "The call's deadline passed.");
            case OperationCanceledException or IOException when http.RequestAborted.IsCancellationRequested:
                return new GrpcException(GrpcStatus.Cancelled, "The caller gave up.");
            case BadHttpRequestException:
                return new GrpcException(GrpcStatus.Internal, "The request's body did not arrive as HTTP/2 says.");
        }
        ILogger log = http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Cloister.Protocol.Grpc");
        log.HandlerFailed(Method.Path, error);
        return new GrpcException(GrpcStatus.Unknown, "The server failed on this call; its log says why.");
    }
}
