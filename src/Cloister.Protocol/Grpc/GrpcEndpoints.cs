using System.Buffers;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cloister.Protocol.Grpc;

/// <summary>
/// Serves gRPC methods over Kestrel's HTTP/2, with TLS or (on a port of its own with <c>Protocols = Http2</c>) without.
/// A handler answers, or throws <see cref="GrpcException"/>; anything else it throws is logged and answered as
/// <see cref="GrpcStatus.Unknown"/> without its text. Its token ends with the call: deadline, caller gone, server stopping.
/// </summary>
public static class GrpcEndpoints
{
    /// <summary>Maps a method of any kind, served by the application's <see cref="IGrpcServer"/> or, without one, by the server here.</summary>
    public static IEndpointConventionBuilder MapGrpc(this IEndpointRouteBuilder endpoints, GrpcMethod method)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(method);
        return (endpoints.ServiceProvider.GetService<IGrpcServer>() ?? KestrelGrpcServer.Instance).Map(endpoints, method);
    }

    /// <summary>Maps a unary method that reads and writes bytes: no message object, no copy of the request.</summary>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="path">The method's path: <c>/package.Service/Method</c>.</param>
    /// <param name="handler">Called once for each request of one whole message.</param>
    /// <param name="options">Bounds; null for the defaults.</param>
    public static IEndpointConventionBuilder MapGrpcUnary(
        this IEndpointRouteBuilder endpoints, string path, GrpcUnaryHandler handler, GrpcServerOptions? options = null) =>
        endpoints.MapGrpc(GrpcMethod.Of(path, handler, options));

    /// <summary>Maps a unary method of generated messages.</summary>
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
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapGrpcUnary(path, async (context, request, response, cancellation) =>
        {
            TResponse answer = await handler(context, GrpcMessages.Parse(parser, request), cancellation);
            answer.WriteTo(response);
        }, options);
    }

    /// <summary>Maps a method on whose side only the server streams. The request is the reader's single message.</summary>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="path">The method's path.</param>
    /// <param name="handler">Called once for each request of one whole message.</param>
    /// <param name="options">Bounds; null for the defaults.</param>
    public static IEndpointConventionBuilder MapGrpcServerStreaming(
        this IEndpointRouteBuilder endpoints,
        string path,
        Func<GrpcCallContext, ReadOnlySequence<byte>, GrpcMessageWriter, CancellationToken, Task> handler,
        GrpcServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapGrpc(GrpcMethod.Of(path, GrpcMethodKind.ServerStreaming, async (context, requests, responses, cancellation) =>
        {
            await requests.MoveNextAsync(cancellation); // a server-streaming call has exactly one; the server sees to it
            await handler(context, requests.Current, responses, cancellation);
        }, options));
    }

    /// <summary>Maps a server-streaming method of generated messages. Its answers are asked for one by one, as the connection has room.</summary>
    public static IEndpointConventionBuilder MapGrpcServerStreaming<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        string path,
        MessageParser<TRequest> parser,
        Func<GrpcCallContext, TRequest, CancellationToken, IAsyncEnumerable<TResponse>> handler,
        GrpcServerOptions? options = null)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapGrpcServerStreaming(path, (context, request, responses, cancellation) =>
            SendAllAsync(handler(context, GrpcMessages.Parse(parser, request), cancellation), responses, cancellation), options);
    }

    /// <summary>Maps a client-streaming method of generated messages. It may answer before it has read them all.</summary>
    public static IEndpointConventionBuilder MapGrpcClientStreaming<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        string path,
        MessageParser<TRequest> parser,
        Func<GrpcCallContext, IAsyncEnumerable<TRequest>, CancellationToken, Task<TResponse>> handler,
        GrpcServerOptions? options = null)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapGrpc(GrpcMethod.Of(path, GrpcMethodKind.ClientStreaming, async (context, requests, responses, cancellation) =>
        {
            TResponse answer = await handler(context, requests.ReadAllAsync(parser, cancellation), cancellation);
            await responses.WriteAsync(answer, cancellation);
        }, options));
    }

    /// <summary>Maps a bidirectional method that reads and writes bytes.</summary>
    public static IEndpointConventionBuilder MapGrpcBidirectional(
        this IEndpointRouteBuilder endpoints, string path, GrpcStreamHandler handler, GrpcServerOptions? options = null) =>
        endpoints.MapGrpc(GrpcMethod.Of(path, GrpcMethodKind.Bidirectional, handler, options));

    /// <summary>Maps a bidirectional method of generated messages. Its answers are asked for one by one, as the connection has room.</summary>
    public static IEndpointConventionBuilder MapGrpcBidirectional<TRequest, TResponse>(
        this IEndpointRouteBuilder endpoints,
        string path,
        MessageParser<TRequest> parser,
        Func<GrpcCallContext, IAsyncEnumerable<TRequest>, CancellationToken, IAsyncEnumerable<TResponse>> handler,
        GrpcServerOptions? options = null)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        ArgumentNullException.ThrowIfNull(parser);
        ArgumentNullException.ThrowIfNull(handler);
        return endpoints.MapGrpcBidirectional(path, (context, requests, responses, cancellation) =>
            SendAllAsync(handler(context, requests.ReadAllAsync(parser, cancellation), cancellation), responses, cancellation), options);
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

    private static async Task SendAllAsync<T>(IAsyncEnumerable<T> answers, GrpcMessageWriter responses, CancellationToken cancellation)
        where T : IMessage<T>
    {
        await foreach (T answer in answers.WithCancellation(cancellation)) await responses.WriteAsync(answer, cancellation);
    }

    private static IEndpointConventionBuilder WithOrder(this IEndpointConventionBuilder builder, int order)
    {
        builder.Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = order);
        return builder;
    }
}
