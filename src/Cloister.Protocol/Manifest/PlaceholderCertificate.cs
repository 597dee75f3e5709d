using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Templates;

namespace Cloister.Protocol.Manifest;

/// <summary>What stands in a dry run for a certificate that will be generated: one with the names that generated ones have where the manifest says none.</summary>
internal static class PlaceholderCertificate
{
    public static TemplateSecretValue Make()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        // No clock: nobody relies on its time.
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1));
        return new(certificate.RawData, key.ExportSubjectPublicKeyInfo(), key.ExportPkcs8PrivateKey());
    }
}
