using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>A user of a manifest: an RSA key and a certificate signed with it, as MarbleRun's documentation makes them; the key serves for recovery too.</summary>
internal sealed class MarbleRunUser : IDisposable
{
    public MarbleRunUser(string name)
    {
        Key = RSA.Create(2048);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = new CertificateRequest($"CN={name}", Key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    public RSA Key { get; }

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    public string RecoveryKey => Key.ExportSubjectPublicKeyInfoPem() + "\n";

    public byte[] Decrypt(string recoverySecret) => Key.Decrypt(Convert.FromBase64String(recoverySecret), RSAEncryptionPadding.OaepSHA256);

    public byte[] Sign(byte[] data) => Key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public void Dispose()
    {
        Key.Dispose();
        Certificate.Dispose();
    }
}
