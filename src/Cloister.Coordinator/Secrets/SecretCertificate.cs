using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Protocol;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Secrets;

/// <summary>Makes the value of a certificate secret: a new key, and a certificate of it that the coordinator's intermediate signs.</summary>
internal static class SecretCertificate
{
    public static bool IsType(string type) => type is ManifestSecretTypes.CertRsa or ManifestSecretTypes.CertEcdsa or ManifestSecretTypes.CertEd25519;

    /// <summary>Makes it; its private key is the caller's to zero.</summary>
    /// <exception cref="CoordinatorException">SecretNotMade.</exception>
    public static SecretMaterial Make(string name, ManifestSecret definition, CertificateAuthority authority, DateTimeOffset now) =>
        Make(name, definition, authority, now, notAfter: null);

    /// <summary>As <see cref="Make(string, ManifestSecret, CertificateAuthority, DateTimeOffset)"/>, ending when the one before does.</summary>
    /// <exception cref="CoordinatorException">SecretNotMade.</exception>
    public static SecretMaterial Remake(string name, ManifestSecret definition, SecretMaterial? before, CertificateAuthority authority, DateTimeOffset now) =>
        Make(name, definition, authority, now, before is { IsCertificate: true } ? EndOf(before) : null);

    private static SecretMaterial Make(string name, ManifestSecret definition, CertificateAuthority authority, DateTimeOffset now, DateTimeOffset? notAfter)
    {
        SecretKeyPair? pair = null;
        try
        {
            pair = SecretKeyPair.Generate(definition);
            byte[] certificate = authority.Issue(definition.Certificate.WithDefaults(), pair.SubjectPublicKeyInfo, now, notAfter ?? definition.NotAfter(now));
            return new SecretMaterial(certificate, pair.SubjectPublicKeyInfo, pair.Pkcs8);
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException or ProtocolException)
        {
            CryptographicOperations.ZeroMemory(pair?.Pkcs8);
            throw new CoordinatorException(CoordinatorError.SecretNotMade, $"Secret '{name}' of type {definition.Type} cannot be made: {error.Message}", error);
        }
    }

    private static DateTimeOffset EndOf(SecretMaterial before)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(before.Certificate.Span);
        return certificate.NotAfter;
    }
}
