using System.Buffers;

namespace Cloister.Protocol.Grpc;

/// <summary>What a unary method does: reads the message and writes its answer.</summary>
/// <param name="context">The call.</param>
/// <param name="request">The message, inflated where it came compressed. It is the connection's own memory: it ends when the handler does.</param>
/// <param name="response">Takes the answer, without gRPC's prefix. Nothing written is an empty message. What was written before a failure is not sent.</param>
/// <param name="cancellation">Ends with the call: deadline, caller gone.</param>
public delegate ValueTask GrpcUnaryHandler(
    GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation);

/// <summary>What a streaming method does, whichever side streams.</summary>
/// <param name="context">The call.</param>
/// <param name="requests">The caller's messages, one after the other.</param>
/// <param name="responses">Takes the answers, each when the connection has room for it.</param>
/// <param name="cancellation">Ends with the call: deadline, caller gone.</param>
public delegate Task GrpcStreamHandler(
    GrpcCallContext context, GrpcMessageReader requests, GrpcMessageWriter responses, CancellationToken cancellation);

/// <summary>Which side of a method sends more than one message.</summary>
public enum GrpcMethodKind
{
    /// <summary>One message each way.</summary>
    Unary,
    /// <summary>One request, any number of answers.</summary>
    ServerStreaming,
    /// <summary>Any number of requests, one answer.</summary>
    ClientStreaming,
    /// <summary>Any number each way, in any order.</summary>
    Bidirectional,
}

/// <summary>One method as a server sees it: bytes in, bytes out. Everything mapped by <see cref="GrpcEndpoints"/> is one of these.</summary>
public sealed class GrpcMethod
{
    private GrpcMethod(string path, GrpcMethodKind kind, GrpcServerOptions? options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path[0] != '/' || path.IndexOf('/', 1) is < 2 || path.LastIndexOf('/') == path.Length - 1)
            throw new ArgumentException("A method's path is /package.Service/Method.", nameof(path));
        Path = path;
        Kind = kind;
        Options = options ?? new GrpcServerOptions();
    }

    /// <summary><c>/package.Service/Method</c>.</summary>
    public string Path { get; }

    /// <summary>Which sides stream.</summary>
    public GrpcMethodKind Kind { get; }

    /// <summary>Its bounds.</summary>
    public GrpcServerOptions Options { get; }

    /// <summary>What a method of <see cref="GrpcMethodKind.Unary"/> does; null for the others.</summary>
    public GrpcUnaryHandler? Unary { get; private init; }

    /// <summary>What a method of any other kind does; null for a unary one.</summary>
    public GrpcStreamHandler? Stream { get; private init; }

    /// <summary>A unary method.</summary>
    public static GrpcMethod Of(string path, GrpcUnaryHandler handler, GrpcServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new GrpcMethod(path, GrpcMethodKind.Unary, options) { Unary = handler };
    }

    /// <summary>A streaming method.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="kind"/> is unary.</exception>
    public static GrpcMethod Of(string path, GrpcMethodKind kind, GrpcStreamHandler handler, GrpcServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (kind == GrpcMethodKind.Unary) throw new ArgumentOutOfRangeException(nameof(kind), kind, "A unary method has a unary handler.");
        return new GrpcMethod(path, kind, options) { Stream = handler };
    }
}
