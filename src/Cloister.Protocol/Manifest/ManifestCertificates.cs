using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Protocol.Manifest;

/// <summary>Certificates and keys as manifests hold them.</summary>
internal static class ManifestCertificates
{
    /// <summary>The bytes of a text's first PEM block, whatever its label; null where there is none.</summary>
    public static byte[]? FirstBlock(string pem) => FirstBlock(pem, out _);

    /// <summary>As <see cref="FirstBlock(string)"/>, with the block's label.</summary>
    public static byte[]? FirstBlock(string pem, out string label)
    {
        label = "";
        if (!PemEncoding.TryFind(pem, out PemFields fields)) return null;
        label = pem[fields.Label];
        byte[] der = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64String(pem[fields.Base64Data], der, out int written) && written == der.Length ? der : null;
    }

    /// <summary>Whether bytes are one X.509 certificate.</summary>
    public static bool IsCertificate(ReadOnlySpan<byte> der)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.RawDataMemory.Length == der.Length;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Whether bytes are one X.509 certificate that may sign others (RFC 5280, 4.2.1.9).</summary>
    public static bool IsAuthority(ReadOnlySpan<byte> der)
    {
        try
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.RawDataMemory.Length == der.Length
                && certificate.Extensions.OfType<X509BasicConstraintsExtension>().ToArray() is [{ CertificateAuthority: true }];
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Whether a text is a PEM "PUBLIC KEY"; <paramref name="rsa"/> then says whether it is an RSA key.</summary>
    public static bool TryReadPublicKey(string pem, [NotNullWhen(true)] out bool? rsa)
    {
        rsa = null;
        if (FirstBlock(pem, out string label) is not { } der || label != "PUBLIC KEY") return false;
        using var key = RSA.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(der, out int read);
            rsa = read == der.Length;
        }
        catch (CryptographicException)
        {
            rsa = false;
        }
        return true;
    }
}
