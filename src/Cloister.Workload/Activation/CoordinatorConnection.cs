using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Grpc;

namespace Cloister.Workload;

/// <summary>
/// One TLS 1.2+ connection to the coordinator's mesh port under mutual TLS. Any server key is let through once, and only
/// that one from then on: whether it is the coordinator's is shown by evidence over exactly this key, before anything
/// but a nonce was sent.
/// </summary>
internal sealed class CoordinatorConnection : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private byte[]? _peerKey;

    public CoordinatorConnection(Uri coordinator, SslStreamCertificateContext clientCertificate, TimeProvider time)
    {
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 64,
            ActivityHeadersPropagator = null,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = clientCertificate,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => Pin(certificate),
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                AllowTlsResume = false,
            },
        });
        Channel = new GrpcChannel(_http, coordinator, time);
    }

    /// <summary>Calls over this connection.</summary>
    public GrpcChannel Channel { get; }

    /// <summary>The server's key, DER SubjectPublicKeyInfo; known after the first call.</summary>
    public ReadOnlyMemory<byte> PeerKey => _peerKey ?? throw new InvalidOperationException("No connection was made yet.");

    private bool Pin(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 peer)
            return false;
        byte[] key = peer.PublicKey.ExportSubjectPublicKeyInfo();
        return (Interlocked.CompareExchange(ref _peerKey, key, null) ?? key).AsSpan().SequenceEqual(key);
    }

    public void Dispose() => _http.Dispose();
}
