using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Workload;

/// <summary>A fresh P-256 key that never leaves this process, its certificate request, and a throw-away certificate of itself for the first TLS connection.</summary>
internal sealed class WorkloadKey : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public WorkloadKey() => SubjectPublicKeyInfo = _key.ExportSubjectPublicKeyInfo();

    /// <summary>The public key, DER.</summary>
    public byte[] SubjectPublicKeyInfo { get; }

    /// <summary>A certificate request (PKCS#10, DER) with the names the certificate shall carry.</summary>
    public byte[] CreateRequest(Guid uuid, IReadOnlyList<string> names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out IPAddress? address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        var request = new CertificateRequest($"CN={uuid:D}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(alternatives.Build());
        return request.CreateSigningRequest();
    }

    /// <summary>A self-signed certificate over this key, as a MarbleRun marble presents before it has one.</summary>
    public X509Certificate2 CreateSelfSigned(DateTimeOffset now) =>
        new CertificateRequest("CN=Cloister Workload", _key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1));

    /// <summary>Joins an issued leaf with this key.</summary>
    public X509Certificate2 Join(X509Certificate2 leaf) => leaf.CopyWithPrivateKey(_key);

    public void Dispose() => _key.Dispose();
}
