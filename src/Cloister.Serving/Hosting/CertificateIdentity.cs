using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Cloister.Serving;

/// <summary>
/// A fixed certificate without evidence: for tests, and for a server that stands behind something else that attests. A client of
/// such a server proves nothing about what serves it.
/// </summary>
/// <param name="certificate">The certificate, with its private key.</param>
/// <param name="intermediates">What lies between it and a root that clients know.</param>
public sealed class CertificateIdentity(X509Certificate2 certificate, params X509Certificate2[] intermediates) : IServingIdentity
{
    private readonly SslStreamCertificateContext _context = SslStreamCertificateContext.Create(certificate, [.. intermediates], offline: true);

    /// <inheritdoc/>
    public void UseTls(ListenOptions listen, TimeSpan handshakeTimeout) => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        HandshakeTimeout = handshakeTimeout,
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = true,
#pragma warning disable CA5359 // A client's certificate is only a name here: callers are compared byte for byte with the manifest's.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        }),
    });

    /// <inheritdoc/>
    public void MapEvidence(IEndpointRouteBuilder routes)
    {
        // There is none.
    }
}
