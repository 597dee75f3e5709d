using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.State;

/// <summary>A secret's value: a key, which is its own public and private part, or a certificate with its key.</summary>
/// <param name="Certificate">DER; empty for a key.</param>
/// <param name="Public">The key, or the certificate's SubjectPublicKeyInfo, DER.</param>
/// <param name="Private">The key, or the certificate's private key, PKCS#8 DER.</param>
internal sealed record SecretMaterial(ReadOnlyMemory<byte> Certificate, ReadOnlyMemory<byte> Public, ReadOnlyMemory<byte> Private)
{
    public bool IsCertificate => !Certificate.IsEmpty;

    public static SecretMaterial OfKey(ReadOnlyMemory<byte> key) => new(default, key, key);

    /// <exception cref="System.Security.Cryptography.CryptographicException">The certificate cannot be read.</exception>
    public static SecretMaterial OfCertificate(ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> privateKey)
    {
        using X509Certificate2 read = X509CertificateLoader.LoadCertificate(certificate.Span);
        return new(certificate, read.PublicKey.ExportSubjectPublicKeyInfo(), privateKey);
    }

    /// <summary>As a template reads it.</summary>
    public TemplateSecret ToTemplate(string type) => new(type, Certificate, Public, Private);

    public bool Equals(SecretMaterial? other) => other is not null
        && Certificate.Span.SequenceEqual(other.Certificate.Span) && Public.Span.SequenceEqual(other.Public.Span) && Private.Span.SequenceEqual(other.Private.Span);

    public override int GetHashCode() => HashCode.Combine(Certificate.Length, Public.Length);

    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => IsCertificate ? "SecretMaterial(certificate)" : "SecretMaterial(key)";
}
