using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Workload;

/// <summary>One certificate of a workload, with its P-256 key and its intermediate. A renewal brings a new one with a new key.</summary>
public sealed class WorkloadCertificate : IDisposable
{
    /// <summary>Takes ownership of both certificates.</summary>
    /// <param name="leaf">The leaf, with its private key.</param>
    /// <param name="intermediate">The coordinator's intermediate that signed it.</param>
    internal WorkloadCertificate(X509Certificate2 leaf, X509Certificate2 intermediate)
    {
        (Leaf, Intermediate) = (leaf, intermediate);
        SubjectPublicKeyInfo = leaf.PublicKey.ExportSubjectPublicKeyInfo();
        ChainPem = leaf.ExportCertificatePem() + "\n" + intermediate.ExportCertificatePem() + "\n";
        // Offline: nothing is fetched from where a certificate points to.
        TlsContext = SslStreamCertificateContext.Create(leaf, [intermediate], offline: true);
    }

    /// <summary>The leaf certificate, with its private key.</summary>
    public X509Certificate2 Leaf { get; }

    /// <summary>The coordinator's intermediate that signed the leaf.</summary>
    public X509Certificate2 Intermediate { get; }

    /// <summary>Leaf and intermediate, ready for TLS as server or client.</summary>
    public SslStreamCertificateContext TlsContext { get; }

    /// <summary>The leaf's key as DER SubjectPublicKeyInfo: what evidence is bound to.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    /// <summary>Leaf and intermediate as PEM.</summary>
    public string ChainPem { get; }

    /// <summary>When the leaf begins to be valid.</summary>
    public DateTimeOffset NotBefore => new(Leaf.NotBefore.ToUniversalTime());

    /// <summary>When the leaf expires.</summary>
    public DateTimeOffset NotAfter => new(Leaf.NotAfter.ToUniversalTime());

    /// <summary>The leaf's private key as PKCS#8 PEM in ASCII, for a program that reads it from its environment as MarbleRun's marbles do. Whoever asked zeroes it.</summary>
    internal byte[] PrivateKeyPem()
    {
        using ECDsa key = Leaf.GetECDsaPrivateKey() ?? throw new InvalidOperationException("The leaf has no private key.");
        byte[] der = key.ExportPkcs8PrivateKey();
        try
        {
            byte[] pem = new byte[PemEncoding.GetEncodedSize("PRIVATE KEY".Length, der.Length) + 1];
            PemEncoding.TryWriteUtf8("PRIVATE KEY"u8, der, pem, out int length);
            pem[length] = (byte)'\n';
            return pem;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    /// <summary>Disposes the certificates and the key.</summary>
    public void Dispose()
    {
        Leaf.Dispose();
        Intermediate.Dispose();
    }
}
