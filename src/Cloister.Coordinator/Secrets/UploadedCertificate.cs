using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;

namespace Cloister.Coordinator.Secrets;

/// <summary>A certificate that a user uploads, with its private key or, as an anchor that others are checked against, without.</summary>
internal static class UploadedCertificate
{
    internal const int MaxBytes = 64 << 10;

    /// <summary>The reason where it is no certificate at all, in Go's words.</summary>
    internal const string Malformed = "x509: malformed certificate";

    private const string Rsa = "1.2.840.113549.1.1.1", EllipticCurve = "1.2.840.10045.2.1", Ed25519 = "1.3.101.112";

    /// <summary>Reads it: a certificate of the definition's type, and of the key. A refusal comes back as null with the reason.</summary>
    public static SecretMaterial? Read(string type, byte[] certificate, byte[]? privateKey, out string reason)
    {
        if (certificate.Length > MaxBytes || privateKey?.Length > MaxBytes)
            return Refuse($"its parts have at most {MaxBytes} bytes", out reason);
        if (type == ManifestSecretTypes.CertEd25519 && !Ed25519KeyPair.IsSupported)
            return Refuse("this machine has no Ed25519; install libcrypto of OpenSSL 3", out reason);
        using X509Certificate2? read = Load(certificate);
        if (read is null)
            return Refuse(Malformed, out reason);
        try
        {
            string algorithm = type switch { ManifestSecretTypes.CertRsa => Rsa, ManifestSecretTypes.CertEcdsa => EllipticCurve, _ => Ed25519 };
            if (read.PublicKey.Oid.Value != algorithm)
                return Refuse($"its certificate's key is of another type than {type}", out reason);
            byte[] publicKey = PublicKeyOf(type, read);
            if (privateKey is not { Length: > 0 })
                return Accept(new SecretMaterial(certificate, publicKey, default), out reason);
            return Pkcs8(type, privateKey, publicKey) is { } pkcs8
                ? Accept(new SecretMaterial(certificate, publicKey, pkcs8), out reason)
                : Refuse("Private is not the key of its certificate", out reason);
        }
        catch (Exception error) when (error is CryptographicException or SealingException or PlatformNotSupportedException)
        {
            // PlatformNotSupported is a curve that nobody knows. The text is ours: the platform's may describe the key.
            return Refuse("the certificate's key is of no known kind, or Private is not a key in PKCS#8, DER", out reason);
        }
    }

    /// <summary>Fuzz target: the first bytes pick the type and the length of the certificate, then come certificate and key.</summary>
    public static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.Length < 3) return;
        string type = (data[0] % 3) switch { 0 => ManifestSecretTypes.CertRsa, 1 => ManifestSecretTypes.CertEcdsa, _ => ManifestSecretTypes.CertEd25519 };
        int length = Math.Min(data[1] << 8 | data[2], data.Length - 3);
        if (Read(type, data.Slice(3, length).ToArray(), data[(3 + length)..].ToArray(), out string reason) is null == (reason.Length == 0))
            throw new InvalidOperationException("A certificate was refused without a reason, or accepted with one.");
    }

    // One certificate in DER, and nothing else.
    private static X509Certificate2? Load(byte[] der)
    {
        try
        {
            X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            if (certificate.RawDataMemory.Span.SequenceEqual(der))
                return certificate;
            certificate.Dispose();
            return null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static byte[] PublicKeyOf(string type, X509Certificate2 certificate)
    {
        switch (type)
        {
            case ManifestSecretTypes.CertRsa:
                using (RSA rsa = certificate.GetRSAPublicKey()!)
                    return rsa.ExportSubjectPublicKeyInfo();
            case ManifestSecretTypes.CertEcdsa:
                using (ECDsa ecdsa = certificate.GetECDsaPublicKey() ?? throw new CryptographicException("Not a key for signatures."))
                    return ecdsa.ExportSubjectPublicKeyInfo();
            default:
                byte[] spki = certificate.PublicKey.ExportSubjectPublicKeyInfo();
                return Ed25519KeyPair.IsSubjectPublicKeyInfo(spki) ? spki : throw new CryptographicException("Not an Ed25519 key.");
        }
    }

    // The key as PKCS#8, or null where it is not the certificate's. The older forms that PEM files hold (PKCS#1, SEC 1) are converted.
    private static byte[]? Pkcs8(string type, byte[] privateKey, ReadOnlySpan<byte> publicKey)
    {
        switch (type)
        {
            case ManifestSecretTypes.CertRsa:
                using (RSA rsa = RSA.Create())
                    return Import(privateKey, rsa.ImportPkcs8PrivateKey, rsa.ImportRSAPrivateKey) && rsa.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey) ? rsa.ExportPkcs8PrivateKey() : null;
            case ManifestSecretTypes.CertEcdsa:
                using (ECDsa ecdsa = ECDsa.Create())
                    return Import(privateKey, ecdsa.ImportPkcs8PrivateKey, ecdsa.ImportECPrivateKey) && ecdsa.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey) ? ecdsa.ExportPkcs8PrivateKey() : null;
            default:
                using (Ed25519KeyPair ed25519 = Ed25519KeyPair.ImportPkcs8(privateKey))
                    return ed25519.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey) ? privateKey.AsSpan().ToArray() : null;
        }
    }

    private delegate void Importer(ReadOnlySpan<byte> der, out int read);

    private static bool Import(byte[] key, Importer pkcs8, Importer older)
    {
        int read;
        try
        {
            pkcs8(key, out read);
        }
        catch (CryptographicException)
        {
            older(key, out read);
        }
        return read == key.Length;
    }

    private static SecretMaterial Accept(SecretMaterial material, out string reason)
    {
        reason = "";
        return material;
    }

    private static SecretMaterial? Refuse(string why, out string reason)
    {
        reason = why;
        return null;
    }
}
