using System.Buffers;
using Cloister.Protocol.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.Surfaces;

/// <summary>Maps a gRPC surface's methods: every refusal becomes a status, every call has its record.</summary>
/// <param name="surface">The surface's name, as in <see cref="RequestRecord.Surface"/>.</param>
/// <param name="service">What every surface does alike.</param>
/// <param name="options">Bounds of the methods.</param>
internal sealed class GrpcSurface(string surface, PredictionService service, GrpcServerOptions options)
{
    // The message names the model, so that rights to it are checked when it is here; who has no right at all shall not make us hold much.
    private readonly GrpcServerOptions _options = options with { AdmitLarge = http => AdmitLarge(http, service) };

    /// <summary>Maps a unary method.</summary>
    /// <param name="routes">Where to map it.</param>
    /// <param name="path"><c>/package.Service/Method</c>.</param>
    /// <param name="handler">Answers, or throws a <see cref="ServingException"/>.</param>
    public void MapUnary(IEndpointRouteBuilder routes, string path, GrpcUnaryHandler handler)
    {
        string method = path[(path.LastIndexOf('/') + 1)..];
        routes.MapGrpcUnary(path, async (context, request, response, cancellation) =>
        {
            RequestRecord record = service.Begin(context.Http, surface, method);
            record.BytesIn = request.Length;
            var counted = new CountingWriter(response);
            try
            {
                await handler(context, request, counted, cancellation);
                record.BytesOut = counted.Written;
            }
            catch (Exception failure)
            {
                throw Refuse(failure, record, context.Http, cancellation);
            }
            finally
            {
                service.End(record);
            }
        }, _options);
    }

    /// <summary>Maps a bidirectional method; each of its messages has a record of its own, which <paramref name="handler"/> begins and ends.</summary>
    public void MapBidirectional(IEndpointRouteBuilder routes, string path, GrpcStreamHandler handler) => routes.MapGrpcBidirectional(path, handler, _options);

    /// <summary>The refusal as a status, written into the record.</summary>
    /// <param name="failure">Whatever ended the call.</param>
    /// <param name="record">The call's record.</param>
    /// <param name="http">The call's HTTP request.</param>
    /// <param name="cancellation">The call's token.</param>
    public Exception Refuse(Exception failure, RequestRecord record, HttpContext http, CancellationToken cancellation)
    {
        switch (failure)
        {
            case OperationCanceledException or IOException or ServingException { Error: ServingError.Cancelled } when cancellation.IsCancellationRequested:
                // The server tells a deadline from a caller who left.
                (record.Refusal, record.Status) = http.RequestAborted.IsCancellationRequested
                    ? (ServingError.Cancelled, (int)GrpcStatus.Cancelled)
                    : (ServingError.DeadlineExceeded, (int)GrpcStatus.DeadlineExceeded);
                return failure is ServingException ? new OperationCanceledException(failure.Message, failure, cancellation) : failure;
            case ServingException refusal:
                GrpcStatus status = GrpcStatuses.Of(refusal.Error);
                (record.Refusal, record.Status) = (refusal.Error, (int)status);
                service.Logger.Refused(http.Request.Path, (int)status, (int)refusal.Error);
                return new GrpcException(status, refusal.Message, inner: refusal) { RetryAfter = refusal.RetryAfter, StatusDetails = GrpcErrorDetails.Of(status, refusal) };
            case GrpcException refused:
                (record.Refusal, record.Status) = (ServingError.InvalidRequest, (int)refused.Status);
                return failure;
            default:
                service.Logger.RequestFailed(http.Request.Path, failure);
                (record.Refusal, record.Status) = (ServingError.EngineFailed, (int)GrpcStatus.Internal);
                return new GrpcException(GrpcStatus.Internal, "The server failed; its log says why.", inner: failure);
        }
    }

    private static void AdmitLarge(HttpContext http, PredictionService service)
    {
        try
        {
            service.RequireAnyRight(http);
        }
        catch (ServingException refusal)
        {
            GrpcStatus status = GrpcStatuses.Of(refusal.Error);
            service.Logger.Refused(http.Request.Path, (int)status, (int)refusal.Error);
            throw new GrpcException(status, refusal.Message, inner: refusal) { StatusDetails = GrpcErrorDetails.Of(status, refusal) };
        }
    }

    private sealed class CountingWriter(IBufferWriter<byte> inner) : IBufferWriter<byte>
    {
        public long Written { get; private set; }

        public void Advance(int count)
        {
            inner.Advance(count);
            Written += count;
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);
    }
}
