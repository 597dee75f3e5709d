using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>What a handler knows of its call beside the message.</summary>
public sealed class GrpcCallContext
{
    private Dictionary<string, string>? _trailers;

    /// <summary>Made by the server of the call.</summary>
    public GrpcCallContext(HttpContext http, DateTimeOffset? deadline)
    {
        ArgumentNullException.ThrowIfNull(http);
        Http = http;
        Deadline = deadline;
    }

    /// <summary>The HTTP request under the call, for its connection and headers. The handler never writes its response.</summary>
    public HttpContext Http { get; }

    /// <summary>Whether answers go as they are, though the caller would take them compressed: for those whose size must not follow from their content.</summary>
    public bool Uncompressed { get; set; }

    /// <summary>The certificate the peer presented in its TLS handshake, or null. It is proof of a key, not of an identity: check it.</summary>
    public X509Certificate2? ClientCertificate => Http.Connection.ClientCertificate;

    /// <summary>When the caller stops waiting, or null where it named no time.</summary>
    public DateTimeOffset? Deadline { get; }

    /// <summary>Trailers of a successful answer: lower-case ASCII names that do not begin with <c>grpc-</c>, printable ASCII values.</summary>
    public IDictionary<string, string> ResponseTrailers => _trailers ??= new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The trailers if there are any.</summary>
    internal Dictionary<string, string>? OwnTrailers => _trailers;
}
