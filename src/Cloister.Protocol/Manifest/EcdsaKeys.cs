using System.Security.Cryptography;

namespace Cloister.Protocol.Manifest;

/// <summary>ECDSA public keys that come from outside.</summary>
internal static class EcdsaKeys
{
    public const string P256 = "1.2.840.10045.3.1.7", P384 = "1.3.132.0.34";

    /// <summary>A P-256 or P-384 key from exactly a SubjectPublicKeyInfo in DER, or null.</summary>
    public static ECDsa? TryImport(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out int read);
            if (read == subjectPublicKeyInfo.Length && CurveOf(key) is P256 or P384) return key;
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            // Not a key, or a curve that this platform does not have: neither is one of ours.
        }
        key.Dispose();
        return null;
    }

    /// <summary>The object identifier of a key's named curve.</summary>
    public static string? CurveOf(ECDsa key) => key.ExportParameters(false).Curve.Oid?.Value;
}
