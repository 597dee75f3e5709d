using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Protocol.Manifest;

/// <summary>An owner's signature over a manifest.</summary>
/// <param name="PublicKey">The owner's SubjectPublicKeyInfo, DER: ECDSA P-256 or P-384.</param>
/// <param name="Signature">IEEE P1363 r||s.</param>
public sealed record OwnerSignature(ReadOnlyMemory<byte> PublicKey, ReadOnlyMemory<byte> Signature);

/// <summary>
/// Signs and verifies manifests: ECDSA over <c>LP("cloister/manifest/v1") LP(SHA-256 of the manifest)</c>, with SHA-256 for
/// P-256 keys and SHA-384 for P-384 keys (docs/formats/manifest.md).
/// </summary>
public static class ManifestOwner
{
    /// <summary>Signs a manifest's fingerprint.</summary>
    /// <exception cref="ArgumentException">The fingerprint is not one, or the key is not P-256 or P-384.</exception>
    public static OwnerSignature Sign(ECDsa key, string fingerprint)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (HashOf(key) is not { } hash) throw new ArgumentException("A manifest owner's key is ECDSA P-256 or P-384.", nameof(key));
        byte[] signature = key.SignData(Message(fingerprint), hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return new OwnerSignature(key.ExportSubjectPublicKeyInfo(), signature);
    }

    /// <summary>Whether a signature is its key's over this fingerprint. A malformed key or signature is false.</summary>
    /// <exception cref="ArgumentException">The fingerprint is not one.</exception>
    public static bool Verify(OwnerSignature signature, string fingerprint)
    {
        ArgumentNullException.ThrowIfNull(signature);
        byte[] message = Message(fingerprint);
        using ECDsa? key = EcdsaKeys.TryImport(signature.PublicKey.Span);
        return key is not null && HashOf(key) is { } hash
            && key.VerifyData(message, signature.Signature.Span, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>Whether bytes are a SubjectPublicKeyInfo that an owner may have: ECDSA P-256 or P-384, nothing after it.</summary>
    public static bool IsOwnerKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        using ECDsa? key = EcdsaKeys.TryImport(subjectPublicKeyInfo);
        return key is not null;
    }

    private static byte[] Message(string fingerprint)
    {
        if (!ManifestFingerprint.IsValid(fingerprint)) throw new ArgumentException("A fingerprint is 64 lower-case hex digits.", nameof(fingerprint));
        ReadOnlySpan<byte> label = "cloister/manifest/v1"u8;
        byte[] digest = Convert.FromHexString(fingerprint);
        byte[] message = new byte[4 + label.Length + 4 + digest.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, label.Length);
        label.CopyTo(message.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4 + label.Length), digest.Length);
        digest.CopyTo(message.AsSpan(8 + label.Length));
        return message;
    }

    private static HashAlgorithmName? HashOf(ECDsa key) => EcdsaKeys.CurveOf(key) switch
    {
        EcdsaKeys.P256 => HashAlgorithmName.SHA256,
        EcdsaKeys.P384 => HashAlgorithmName.SHA384,
        _ => null,
    };
}
