using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Tests.Mesh;

/// <summary>An attacker's certificate: self-signed, whatever it says.</summary>
internal static class TestCertificate
{
    public static X509Certificate2 Create(string name = "CN=localhost")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(name, key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }

    public static SslStreamCertificateContext Context() => SslStreamCertificateContext.Create(Create(), null, offline: true);
}
