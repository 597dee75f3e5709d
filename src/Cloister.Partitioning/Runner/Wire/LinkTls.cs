using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>
/// TLS of a link: version 1.3 alone, and the accelerator known by the SHA-256 of its key. There is no certificate authority, no name and
/// no date that would stand in for that, and nothing is looked up anywhere.
/// </summary>
internal static class LinkTls
{
    private const int Years = 10;

    /// <summary>What a workload demands.</summary>
    /// <param name="address">Where the accelerator is; with a pin.</param>
    /// <param name="seen">Told of the key that was shown, if it is another.</param>
    public static SslClientAuthenticationOptions ForWorkload(AcceleratorAddress address, Action<string> seen)
    {
        byte[] pin = Convert.FromHexString(address.Pin ?? throw new ArgumentException("The address names no key.", nameof(address)));
        return new SslClientAuthenticationOptions
        {
            TargetHost = address.Place,
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = Offline(),
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                if (certificate is not X509Certificate2 shown) return false;
                byte[] digest = Digest(shown);
                bool same = CryptographicOperations.FixedTimeEquals(pin, digest);
                if (!same) seen(Convert.ToHexStringLower(digest));
                return same;
            },
        };
    }

    /// <summary>What an accelerator shows; workloads show nothing.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.CertificateRefused"/>.</exception>
    public static SslServerAuthenticationOptions ForAccelerator(X509Certificate2 certificate)
    {
        if (!certificate.HasPrivateKey)
            throw new PartitioningException(PartitioningError.CertificateRefused, "The accelerator's certificate comes without its private key.");
        using ECDsa? elliptic = certificate.GetECDsaPublicKey();
        using RSA? rsa = certificate.GetRSAPublicKey();
        if (elliptic is null && rsa is null)
            throw new PartitioningException(PartitioningError.CertificateRefused, "The accelerator's key is neither of an elliptic curve (ECDSA) nor RSA: TLS 1.3 takes no other here.");
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateRequired = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowRenegotiation = false,
            AllowTlsResume = false,
        };
    }

    /// <summary>A certificate for a key that ends with the process.</summary>
    public static X509Certificate2 Make(DateTimeOffset now)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=cloister accelerator", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddYears(Years));
        // A key that only lives in memory cannot be used for TLS on every platform; the round trip through PKCS#12 can.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>What a key is known by, in hex.</summary>
    public static string Pin(X509Certificate2 certificate) => Convert.ToHexStringLower(Digest(certificate));

    private static byte[] Digest(X509Certificate2 certificate) => SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private static X509ChainPolicy Offline() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };
}
