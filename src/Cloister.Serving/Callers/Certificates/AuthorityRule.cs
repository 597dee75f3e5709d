using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Workload;

namespace Cloister.Serving.Callers.Certificates;

/// <summary>
/// Which certificates of an authority are a caller's: signed by the authority itself (RFC 5280, with its constraints), for TLS clients, no
/// authorities themselves, not revoked by the manifest, with names that fit. When they are valid is asked at each request.
/// </summary>
internal sealed class AuthorityRule : IDisposable
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    // MD5 and SHA-1, with RSA and ECDSA.
    private static readonly string[] s_weak = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

    private readonly CertificateRuleGrant _grant;
    private readonly X509Certificate2 _authority;
    private readonly Validity _valid;

    /// <exception cref="ArgumentException">The authority is not a certificate, or none that may issue others.</exception>
    public AuthorityRule(CertificateRuleGrant grant, Caller caller)
    {
        (_grant, Caller) = (grant, caller);
        try
        {
            _authority = X509CertificateLoader.LoadCertificate(grant.Authority.Span);
            _valid = Validity.Of(_authority);
            if (_authority.Extensions.OfType<X509BasicConstraintsExtension>().ToArray() is [{ CertificateAuthority: true }]) return;
            _authority.Dispose();
        }
        catch (CryptographicException error)
        {
            throw new ArgumentException($"The authority of caller '{caller.Name}' is not a certificate.", nameof(grant), error);
        }
        throw new ArgumentException($"The authority of caller '{caller.Name}' is a certificate that may not issue others.", nameof(grant));
    }

    public Caller Caller { get; }

    /// <summary>Whether a certificate is the caller's, at any time when it and its authority are valid.</summary>
    public bool Fits(X509Certificate2 certificate, DateTimeOffset now)
    {
        try
        {
            return IsTheCallers(certificate, now);
        }
        catch (CryptographicException)
        {
            // Extensions are decoded when they are looked at: a stranger's may be anything.
            return false;
        }
    }

    /// <summary>Whether the authority is valid.</summary>
    public bool IsValid(DateTimeOffset now) => _valid.Holds(now);

    private bool IsTheCallers(X509Certificate2 certificate, DateTimeOffset now) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_authority.SubjectName.RawData)
        && !IsRevoked(certificate)
        && IsForClients(certificate)
        && SubjectNames.Of(certificate) is { } names
        && NamePattern.CommonName(_grant.CommonName, names.CommonName) && NamePattern.Dns(_grant.Dns, names.Dns)
        && NamePattern.Uri(_grant.Uri, names.Uris) && NamePattern.Email(_grant.Email, names.Emails)
        && IsSigned(certificate, now);

    private bool IsRevoked(X509Certificate2 certificate)
    {
        ReadOnlySpan<byte> serial = certificate.SerialNumberBytes.Span.TrimStart((byte)0);
        foreach (ReadOnlyMemory<byte> revoked in _grant.Revoked)
            if (serial.SequenceEqual(revoked.Span.TrimStart((byte)0))) return true;
        return false;
    }

    private static bool IsForClients(X509Certificate2 certificate) =>
        !s_weak.Contains(certificate.SignatureAlgorithm.Value)
        && certificate.Extensions.OfType<X509BasicConstraintsExtension>().All(constraint => !constraint.CertificateAuthority)
        && certificate.Extensions.OfType<X509KeyUsageExtension>().All(usage => usage.KeyUsages.HasFlag(X509KeyUsageFlags.DigitalSignature))
        && certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray() is [var purposes]
        && purposes.EnhancedKeyUsages.Cast<Oid>().Any(purpose => purpose.Value == ClientAuthentication);

    // The authority may be an intermediate: the manifest names it, so what stands above it is not asked.
    private bool IsSigned(X509Certificate2 certificate, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.ExtraStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.Build(certificate);
        return chain.ChainElements.Count == 2
            && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(_authority.RawDataMemory.Span)
            && chain.ChainElements[0].ChainElementStatus.All(status => status.Status == X509ChainStatusFlags.NoError)
            && chain.ChainElements[1].ChainElementStatus.All(status => (status.Status & ~(X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) == 0);
    }

    public void Dispose() => _authority.Dispose();
}
