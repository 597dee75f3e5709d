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
    /// <param name="status">gRPC's code.</param>
    /// <param name="detail">The message that goes with it.</param>
    /// <param name="trailers">Lower-case ASCII names that do not begin with <c>grpc-</c>, printable ASCII values; null for none.</param>
    /// <param name="inner">What caused it; it does not travel.</param>
    /// <exception cref="ArgumentException">A trailer's name or value cannot travel.</exception>
    public GrpcException(GrpcStatus status, string detail, ImmutableDictionary<string, string>? trailers = null, Exception? inner = null)
        : base($"{status}: {detail}", inner)
    {
        Status = status;
        Detail = detail;
        Trailers = trailers ?? ImmutableDictionary<string, string>.Empty;
        GrpcHeaders.RequireTrailers(Trailers);
    }

    /// <summary>gRPC's code; never <see cref="GrpcStatus.Ok"/> from a client.</summary>
    public GrpcStatus Status { get; }

    /// <summary>The message that goes with it.</summary>
    public string Detail { get; }

    /// <summary>The server's own trailers (lower-case ASCII names), without gRPC's.</summary>
    public ImmutableDictionary<string, string> Trailers { get; }

    /// <summary>From a server: a serialised <c>google.rpc.Status</c> for clients that read one; it travels as <c>grpc-status-details-bin</c>.</summary>
    public ReadOnlyMemory<byte> StatusDetails { get; init; }

    /// <summary>From a server: how long the caller should wait before it tries again; it travels as <c>grpc-retry-pushback-ms</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
