using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>The key by which a maker's signatures are verified. Two are equal when their SubjectPublicKeyInfo bytes are; each key has one accepted encoding.</summary>
public sealed record MakerPublicKey
{
    /// <summary>Bytes in a signature, whichever the algorithm.</summary>
    public const int SignatureSize = 64;

    private const string PemLabel = "PUBLIC KEY";
    private const int P256SpkiSize = 91;
    private readonly byte[] spki;

    private MakerPublicKey(SignatureAlgorithm algorithm, byte[] spki)
    {
        Algorithm = algorithm;
        this.spki = spki;
    }

    /// <summary>How this maker signs.</summary>
    public SignatureAlgorithm Algorithm { get; }

    /// <summary>The key as DER: 44 bytes for Ed25519 (RFC 8410), 91 for P-256 (RFC 5480, uncompressed point).</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => spki;

    /// <summary>SHA-256 over the SubjectPublicKeyInfo, lower-case hex.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(spki));

    // id-ecPublicKey, prime256v1, BIT STRING of 65 bytes that begins with 0x04 (RFC 5480, 2.1.1 and 2.2).
    private static ReadOnlySpan<byte> P256SpkiPrefix =>
    [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];

    /// <summary>Reads DER.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.MalformedMakerKey"/>: neither an Ed25519 nor an uncompressed P-256 key, or a point that is not on its curve.</exception>
    public static MakerPublicKey FromSpki(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        if (Ed25519Key.IsSpki(subjectPublicKeyInfo))
            return new MakerPublicKey(SignatureAlgorithm.Ed25519, subjectPublicKeyInfo.ToArray());
        if (subjectPublicKeyInfo.Length != P256SpkiSize || !subjectPublicKeyInfo.StartsWith(P256SpkiPrefix))
            throw Malformed("it is neither an Ed25519 nor an uncompressed P-256 SubjectPublicKeyInfo");
        var key = new MakerPublicKey(SignatureAlgorithm.EcdsaP256, subjectPublicKeyInfo.ToArray());
        using ECDsa point = key.ImportP256(); // refuses a point off the curve
        return key;
    }

    /// <summary>Reads a PEM block "PUBLIC KEY".</summary>
    /// <exception cref="SealingException"><see cref="SealingError.MalformedMakerKey"/>: no such block, or not such a key.</exception>
    public static MakerPublicKey FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (!PemBlock.TryRead(pem, PemLabel, out byte[]? der))
            throw Malformed("the text is not one PEM block \"PUBLIC KEY\"");
        return FromSpki(der);
    }

    /// <summary>The key as a PEM block "PUBLIC KEY".</summary>
    public string ToPem() => PemEncoding.WriteString(PemLabel, spki) + "\n";

    /// <summary>Whether the signature is this maker's over the message.</summary>
    /// <exception cref="PlatformNotSupportedException">An Ed25519 key where libcrypto 3 is absent.</exception>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureSize)
            return false;
        if (Algorithm == SignatureAlgorithm.Ed25519)
            return Ed25519Key.Verify(Ed25519Key.PublicKeyOf(spki), message, signature);
        using ECDsa key = ImportP256();
        return key.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>By the key's bytes, in fixed time.</summary>
    public bool Equals([NotNullWhen(true)] MakerPublicKey? other) => other is not null && CryptographicOperations.FixedTimeEquals(spki, other.spki);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(spki);
        return hash.ToHashCode();
    }

    /// <summary>The algorithm and the fingerprint.</summary>
    public override string ToString() => $"{Algorithm} {Fingerprint}";

    /// <summary>Bytes in the SubjectPublicKeyInfo of an algorithm's keys.</summary>
    internal static int SpkiSize(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.Ed25519 => Ed25519Key.SpkiSize,
        SignatureAlgorithm.EcdsaP256 => P256SpkiSize,
        _ => throw new SealingException(SealingError.UnknownSignatureAlgorithm, $"Signature algorithm {(int)algorithm} is unknown. A newer program may know it."),
    };

    /// <summary>Fuzz target: any bytes are refused as documented or come back as they were.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        try
        {
            if (!FromSpki(data).spki.AsSpan().SequenceEqual(data))
                throw new InvalidOperationException("A key changed on its way through.");
        }
        catch (SealingException refused) when (refused.Error == SealingError.MalformedMakerKey)
        {
        }
    }

    private ECDsa ImportP256()
    {
        ReadOnlySpan<byte> point = spki.AsSpan(P256SpkiPrefix.Length);
        try
        {
            return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[..32].ToArray(), Y = point[32..].ToArray() } });
        }
        catch (CryptographicException problem)
        {
            throw Malformed("its point is not on P-256", problem);
        }
    }

    private static SealingException Malformed(string why, Exception? inner = null) =>
        new(SealingError.MalformedMakerKey, $"This is no maker's public key: {why}. Ask the maker for the file that keygen wrote.", inner);
}
