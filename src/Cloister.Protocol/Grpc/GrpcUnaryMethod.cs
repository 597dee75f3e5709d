using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cloister.Protocol.Grpc;

/// <summary>One served unary method: reads the message, runs the handler under the deadline, answers.</summary>
internal sealed class GrpcUnaryMethod<TRequest, TResponse>(
    string path,
    MessageParser<TRequest> parser,
    Func<GrpcCallContext, TRequest, CancellationToken, Task<TResponse>> handler,
    GrpcServerOptions options)
    where TRequest : IMessage<TRequest>
    where TResponse : IMessage<TResponse>
{
    public async Task HandleAsync(HttpContext http)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol))
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            http.Response.Headers.Upgrade = "h2";
            return;
        }
        if (!GrpcHeaders.IsGrpc(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        // Our own limit refuses with a gRPC status; the server's would cut the connection.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bodySize) bodySize.MaxRequestBodySize = null;
        GrpcResponse.Begin(http.Response);

        using var deadline = new CallDeadline(options);
        try
        {
            deadline.Start(http);
            var context = new GrpcCallContext(http, deadline.At);
            TResponse answer = await AnswerAsync(http, context, deadline);
            GrpcFrame.Write(http.Response.BodyWriter, answer);
            GrpcResponse.AppendStatus(http.Response, GrpcStatus.Ok, null, context.ResponseTrailers);
            await http.Response.CompleteAsync();
        }
        catch (GrpcException refused)
        {
            GrpcResponse.AppendStatus(http.Response, refused.Status, refused.Detail, refused.Trailers);
            await http.Response.CompleteAsync();
        }
    }

    private async Task<TResponse> AnswerAsync(HttpContext http, GrpcCallContext context, CallDeadline deadline)
    {
        try
        {
            TRequest request = await ReadAsync(http.Request, deadline.Token);
            TResponse answer = await handler(context, request, deadline.Token);
            GrpcHeaders.RequireTrailers(context.ResponseTrailers);
            return deadline.Passed ? throw new OperationCanceledException() : answer;
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw new GrpcException(GrpcStatus.DeadlineExceeded, "The call's deadline passed.");
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && http.RequestAborted.IsCancellationRequested)
        {
            throw new GrpcException(GrpcStatus.Cancelled, "The caller gave up.");
        }
        catch (Exception error) when (error is not GrpcException)
        {
            ILogger log = http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Cloister.Protocol.Grpc");
            log.HandlerFailed(path, error);
            throw new GrpcException(GrpcStatus.Unknown, "The server failed on this call; its log says why.");
        }
    }

    // Prefix and message may arrive in any number of pieces; nothing is buffered beyond the length that was checked.
    private async Task<TRequest> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        PipeReader body = request.BodyReader;
        long limit = GrpcFrame.PrefixBytes;
        bool sized = false;
        while (true)
        {
            ReadResult read = await body.ReadAsync(cancellation);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (!sized && buffer.Length >= GrpcFrame.PrefixBytes)
            {
                limit += PeekLength(buffer);
                sized = true;
            }
            if (read.IsCompleted || buffer.Length > limit)
            {
                TRequest message = Parse(buffer, request.Headers[GrpcHeaders.Encoding]);
                body.AdvanceTo(buffer.End);
                return message;
            }
            body.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private int PeekLength(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> prefix = stackalloc byte[GrpcFrame.PrefixBytes];
        buffer.Slice(0, GrpcFrame.PrefixBytes).CopyTo(prefix);
        return GrpcFrame.CheckedLength(prefix, options.MaxRequestBytes);
    }

    private TRequest Parse(in ReadOnlySequence<byte> buffer, string? encoding)
    {
        ReadOnlyMemory<byte> body = buffer.IsSingleSegment ? buffer.First : buffer.ToArray();
        // gRPC's status table: the wrong number of requests in a unary call is UNIMPLEMENTED on a server.
        ReadOnlyMemory<byte> message = GrpcFrame.ReadSingle(body, encoding, options.MaxRequestBytes, GrpcStatus.Unimplemented);
        try
        {
            return parser.ParseFrom(message.Span);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new GrpcException(GrpcStatus.Internal, $"The request is not a message of {path}.", inner: error);
        }
    }
}
