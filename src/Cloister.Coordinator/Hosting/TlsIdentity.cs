using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;

namespace Cloister.Coordinator;

/// <summary>
/// TLS of one port: the certificate of the authority now in force, and any client certificate, since who may do what is decided per request.
/// Nothing is looked up for a peer's certificate: no download, no revocation, no host's trust store.
/// </summary>
internal sealed class TlsIdentity(LiveState state, Func<CertificateAuthority, X509Certificate2> certificate, bool requireClientCertificate)
{
    private volatile Prepared? _prepared;

    public SslServerAuthenticationOptions Options() => new()
    {
        ServerCertificateContext = Current(),
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, peer, _, _) => peer is not null || !requireClientCertificate,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        },
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        // A resumed session would not show that the peer still holds its key.
        AllowTlsResume = false,
    };

    private SslStreamCertificateContext Current()
    {
        CertificateAuthority authority = state.Current.Authority;
        Prepared? prepared = _prepared;
        if (prepared is null || !ReferenceEquals(prepared.Authority, authority))
            _prepared = prepared = new Prepared(authority, SslStreamCertificateContext.Create(certificate(authority), null, offline: true));
        return prepared.Context;
    }

    private sealed record Prepared(CertificateAuthority Authority, SslStreamCertificateContext Context);
}
