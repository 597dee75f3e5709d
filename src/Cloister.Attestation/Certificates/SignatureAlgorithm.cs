using System.Security.Cryptography;

namespace Cloister.Attestation.Certificates;

/// <summary>How a certificate or revocation list is signed. SHA-1 and MD5 are none of these.</summary>
public enum SignatureAlgorithm
{
    /// <summary>An algorithm that is not accepted.</summary>
    None = 0,

    /// <summary>ECDSA with SHA-256.</summary>
    EcdsaSha256,

    /// <summary>ECDSA with SHA-384.</summary>
    EcdsaSha384,

    /// <summary>ECDSA with SHA-512.</summary>
    EcdsaSha512,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    RsaSha256,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-384.</summary>
    RsaSha384,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-512.</summary>
    RsaSha512,

    /// <summary>RSASSA-PSS with SHA-256 throughout and a salt of 32 bytes.</summary>
    RsaPssSha256,

    /// <summary>RSASSA-PSS with SHA-384 throughout and a salt of 48 bytes.</summary>
    RsaPssSha384,

    /// <summary>RSASSA-PSS with SHA-512 throughout and a salt of 64 bytes.</summary>
    RsaPssSha512,
}

/// <summary>Reads AlgorithmIdentifier (RFC 5280, 4.1.1.2; RFC 4055 for RSASSA-PSS).</summary>
internal static class SignatureAlgorithms
{
    /// <summary>The algorithm in the content of an AlgorithmIdentifier; <see cref="SignatureAlgorithm.None"/> if it is not accepted.</summary>
    public static SignatureAlgorithm Parse(ReadOnlyMemory<byte> identifier)
    {
        var reader = new DerReader(identifier);
        if (!reader.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid)) return SignatureAlgorithm.None;
        ReadOnlySpan<byte> name = oid.Span;
        if (name.SequenceEqual(Oids.EcdsaSha256)) return If(reader.IsEmpty, SignatureAlgorithm.EcdsaSha256);
        if (name.SequenceEqual(Oids.EcdsaSha384)) return If(reader.IsEmpty, SignatureAlgorithm.EcdsaSha384);
        if (name.SequenceEqual(Oids.EcdsaSha512)) return If(reader.IsEmpty, SignatureAlgorithm.EcdsaSha512);
        if (name.SequenceEqual(Oids.RsaSha256)) return If(EndsInNull(reader), SignatureAlgorithm.RsaSha256);
        if (name.SequenceEqual(Oids.RsaSha384)) return If(EndsInNull(reader), SignatureAlgorithm.RsaSha384);
        if (name.SequenceEqual(Oids.RsaSha512)) return If(EndsInNull(reader), SignatureAlgorithm.RsaSha512);
        return name.SequenceEqual(Oids.RsaPss) ? ParsePss(reader) : SignatureAlgorithm.None;
    }

    public static HashAlgorithmName HashOf(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.EcdsaSha256 or SignatureAlgorithm.RsaSha256 or SignatureAlgorithm.RsaPssSha256 => HashAlgorithmName.SHA256,
        SignatureAlgorithm.EcdsaSha384 or SignatureAlgorithm.RsaSha384 or SignatureAlgorithm.RsaPssSha384 => HashAlgorithmName.SHA384,
        SignatureAlgorithm.EcdsaSha512 or SignatureAlgorithm.RsaSha512 or SignatureAlgorithm.RsaPssSha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not an accepted algorithm."),
    };

    public static bool IsEcdsa(SignatureAlgorithm algorithm) => algorithm is SignatureAlgorithm.EcdsaSha256 or SignatureAlgorithm.EcdsaSha384 or SignatureAlgorithm.EcdsaSha512;

    public static bool IsPss(SignatureAlgorithm algorithm) => algorithm is SignatureAlgorithm.RsaPssSha256 or SignatureAlgorithm.RsaPssSha384 or SignatureAlgorithm.RsaPssSha512;

    // RSASSA-PSS-params: the defaults mean SHA-1, so hash, mask and salt must all be written. The trailer's only value, 1, may be written or not.
    private static SignatureAlgorithm ParsePss(DerReader reader)
    {
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader parameters) || !reader.IsEmpty
            || !parameters.TryReadInto(DerReader.Context(0), out DerReader hashField) || !TryReadHash(ref hashField, out SignatureAlgorithm algorithm, out int size) || !hashField.IsEmpty
            || !parameters.TryReadInto(DerReader.Context(1), out DerReader maskField) || !maskField.TryReadInto(DerReader.Sequence, out DerReader mask) || !maskField.IsEmpty
            || !mask.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> generator) || !generator.Span.SequenceEqual(Oids.Mgf1)
            || !TryReadHash(ref mask, out SignatureAlgorithm maskAlgorithm, out _) || !mask.IsEmpty || maskAlgorithm != algorithm
            || !parameters.TryReadInto(DerReader.Context(2), out DerReader saltField) || !saltField.TryReadInt32(out int salt) || !saltField.IsEmpty || salt != size) return SignatureAlgorithm.None;
        if (parameters.IsEmpty) return algorithm;
        return parameters.TryReadInto(DerReader.Context(3), out DerReader trailerField) && trailerField.TryReadInt32(out int trailer) && trailerField.IsEmpty && trailer == 1 && parameters.IsEmpty
            ? algorithm
            : SignatureAlgorithm.None;
    }

    private static bool TryReadHash(ref DerReader reader, out SignatureAlgorithm algorithm, out int size)
    {
        (algorithm, size) = (SignatureAlgorithm.None, 0);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader hash) || !hash.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> oid) || !(hash.IsEmpty || EndsInNull(hash))) return false;
        if (oid.Span.SequenceEqual(Oids.Sha256)) (algorithm, size) = (SignatureAlgorithm.RsaPssSha256, 32);
        else if (oid.Span.SequenceEqual(Oids.Sha384)) (algorithm, size) = (SignatureAlgorithm.RsaPssSha384, 48);
        else if (oid.Span.SequenceEqual(Oids.Sha512)) (algorithm, size) = (SignatureAlgorithm.RsaPssSha512, 64);
        return size != 0;
    }

    private static bool EndsInNull(DerReader reader) => reader.TryRead(DerReader.Null, out ReadOnlyMemory<byte> content) && content.IsEmpty && reader.IsEmpty;

    private static SignatureAlgorithm If(bool wellFormed, SignatureAlgorithm algorithm) => wellFormed ? algorithm : SignatureAlgorithm.None;
}
