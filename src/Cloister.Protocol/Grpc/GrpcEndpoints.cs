using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Grpc;

/// <summary>Serves unary gRPC methods over Kestrel's HTTP/2, with TLS or (on a port of its own with <c>Protocols = Http2</c>) without.</summary>
public static class GrpcEndpoints
{
    /// <summary>
    /// Maps one unary method. The handler answers, or throws <see cref="GrpcException"/>; anything else it throws is logged and
    /// answered as <see cref="GrpcStatus.Unknown"/> without its text. Its token ends with the call: deadline, caller gone, server stopping.
    /// </summary>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="path">The method's path: <c>/package.Service/Method</c>.</param>
    /// <param name="parser">Parser of the request message.</param>
    /// <param name="handler">Called once for each well-formed request.</param>
    /// <param name="options">Bounds; null for the defaults.</param>
    public static IEndpointConventionBuilder MapGrpcUnary<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        string path,
        MessageParser<TRequest> parser,
        Func<GrpcCallContext, TRequest, CancellationToken, Task<TResponse>> handler,
        GrpcServerOptions? options = null)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handler);
        var method = new GrpcUnaryMethod<TRequest, TResponse>(path, parser, handler, options ?? new GrpcServerOptions());
        return endpoints.MapPost(path, (RequestDelegate)method.HandleAsync);
    }

    /// <summary>Answers every other gRPC call with <see cref="GrpcStatus.Unimplemented"/>, as gRPC's servers do; other requests get 404.</summary>
    public static IEndpointConventionBuilder MapGrpcUnimplemented(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/{service}/{method}", static context =>
        {
            if (!GrpcHeaders.IsGrpc(context.Request.ContentType) || !HttpProtocol.IsHttp2(context.Request.Protocol))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }
            GrpcResponse.Begin(context.Response);
            GrpcResponse.AppendStatus(context.Response, GrpcStatus.Unimplemented, "Unknown service or method.");
            return context.Response.CompleteAsync();
        }).WithOrder(int.MaxValue);

    private static IEndpointConventionBuilder WithOrder(this IEndpointConventionBuilder builder, int order)
    {
        builder.Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = order);
        return builder;
    }
}
