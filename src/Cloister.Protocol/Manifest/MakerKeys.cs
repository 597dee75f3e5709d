using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cloister.Protocol.Manifest;

/// <summary>The keys that a model's maker may have: Ed25519 (RFC 8410) and ECDSA P-256 (RFC 5480), as SubjectPublicKeyInfo.</summary>
internal static class MakerKeys
{
    /// <summary>Whether bytes are such a key, in DER, with nothing after it.</summary>
    public static bool IsValid(ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        try
        {
            var reader = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER);
            AsnReader info = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            AsnReader algorithm = info.ReadSequence();
            string identifier = algorithm.ReadObjectIdentifier();
            byte[] key = info.ReadBitString(out int unused);
            info.ThrowIfNotEmpty();
            if (unused != 0) return false;
            if (identifier == "1.3.101.112") return key.Length == 32 && !algorithm.HasData;
            return identifier == "1.2.840.10045.2.1"
                && algorithm.ReadObjectIdentifier() == EcdsaKeys.P256
                && !algorithm.HasData
                && key.Length == 65
                && IsPoint(subjectPublicKeyInfo.Span);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static bool IsPoint(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        using ECDsa? key = EcdsaKeys.TryImport(subjectPublicKeyInfo);
        return key is not null;
    }
}
