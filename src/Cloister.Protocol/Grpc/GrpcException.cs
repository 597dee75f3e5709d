using System.Collections.Immutable;

namespace Cloister.Protocol.Grpc;

/// <summary>
/// A call that did not succeed. A server's handler throws it to answer with that status, detail and trailers;
/// a client receives it with what the server (or, for <see cref="GrpcStatus.Unavailable"/>, the connection) said.
/// The detail travels to the peer: it never holds a secret.
/// </summary>
public sealed class GrpcException : Exception
{
    /// <summary>Makes a failed call.</summary>
    public GrpcException(GrpcStatus status, string detail, ImmutableDictionary<string, string>? trailers = null, Exception? inner = null)
        : base($"{status}: {detail}", inner)
    {
        Status = status;
        Detail = detail;
        Trailers = trailers ?? ImmutableDictionary<string, string>.Empty;
    }

    /// <summary>gRPC's code; never <see cref="GrpcStatus.Ok"/> from a client.</summary>
    public GrpcStatus Status { get; }

    /// <summary>The message that goes with it.</summary>
    public string Detail { get; }

    /// <summary>The server's own trailers (lower-case ASCII names), without gRPC's.</summary>
    public ImmutableDictionary<string, string> Trailers { get; }
}
