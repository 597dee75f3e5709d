using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Trust;

/// <summary>
/// Judges a chain of exactly the given certificates: one root that the caller trusts, at an explicit time, without network,
/// revocation or the machine's own roots. Keys are ECDSA P-256 or P-384, signatures ECDSA with SHA-256 or SHA-384.
/// </summary>
internal static class CertificateChain
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>A certificate from DER bytes, or null where they are not exactly one certificate.</summary>
    public static X509Certificate2? Load(ReadOnlyMemory<byte> der)
    {
        try
        {
            X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der.Span);
            if (certificate.RawDataMemory.Length == der.Length) return certificate;
            certificate.Dispose();
            return null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether a certificate's key and signature are of the kinds that are allowed; null if so, else what is not.</summary>
    public static string? NotAllowed(X509Certificate2 certificate)
    {
        using ECDsa? key = TryGetKey(certificate);
        if (key is null || EcdsaKeys.CurveOf(key) is not (EcdsaKeys.P256 or EcdsaKeys.P384))
            return $"the key of '{certificate.Subject}' is not ECDSA P-256 or P-384";
        return certificate.SignatureAlgorithm.Value is "1.2.840.10045.4.3.2" or "1.2.840.10045.4.3.3"
            ? null
            : $"'{certificate.Subject}' is not signed by ECDSA with SHA-256 or SHA-384";
    }

    /// <summary>Whether the certificates, the leaf first and the trusted root last, form a chain; null if so, else why not.</summary>
    public static string? Broken(ReadOnlySpan<X509Certificate2> certificates, VerificationTime time, bool serverLeaf)
    {
        using var chain = new X509Chain();
        X509ChainPolicy policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.Add(certificates[^1]);
        for (int i = 1; i < certificates.Length - 1; i++) policy.ExtraStore.Add(certificates[i]);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        if (time.Instant is { } instant) policy.VerificationTime = instant.UtcDateTime;
        else policy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        if (serverLeaf) policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));

        bool built = chain.Build(certificates[0]);
        try
        {
            if (!built)
                return string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct());
            // Another path than the given one would rest on certificates nobody looked at.
            if (chain.ChainElements.Count != certificates.Length) return "the chain is not leaf, intermediate, root";
            for (int i = 0; i < certificates.Length; i++)
                if (!chain.ChainElements[i].Certificate.RawDataMemory.Span.SequenceEqual(certificates[i].RawDataMemory.Span))
                    return "the chain runs over other certificates than those given";
            return null;
        }
        finally
        {
            foreach (X509ChainElement element in chain.ChainElements) element.Certificate.Dispose();
        }
    }

    /// <summary>Whether two certificates have the same key.</summary>
    public static bool SameKey(X509Certificate2 one, X509Certificate2 other) =>
        one.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(other.PublicKey.ExportSubjectPublicKeyInfo());

    private static ECDsa? TryGetKey(X509Certificate2 certificate)
    {
        try
        {
            return certificate.GetECDsaPublicKey();
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            return null;
        }
    }
}
