// Ed25519 signatures (pure, no context).
//
// References: RFC 8032 5.1 (the algorithm), RFC 8410 (PKCS#8 and SubjectPublicKeyInfo).
// Sizes:      private key (seed) 32, public key 32, signature 64; PKCS#8 48, SubjectPublicKeyInfo 44 bytes.

namespace Cloister.Sealing;

/// <summary>An Ed25519 private key, held by libcrypto.</summary>
internal sealed class Ed25519Key : IDisposable
{
    public const int SeedSize = 32, PublicKeySize = 32, SignatureSize = 64, SpkiSize = 44, Pkcs8Size = 48;

    private readonly EvpKeyHandle key;
    private readonly byte[] publicKey;

    private Ed25519Key(EvpKeyHandle key)
    {
        this.key = key;
        publicKey = EvpRawKey.PublicBytes(key);
    }

    public ReadOnlySpan<byte> PublicKey => publicKey;

    // The DER in front of the 32 bytes has one form only (RFC 8410, 4 and 7), so it is compared and not parsed.
    private static ReadOnlySpan<byte> SpkiPrefix => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    private static ReadOnlySpan<byte> Pkcs8Prefix => [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    public static Ed25519Key Generate()
    {
        using SecretBytes seed = SecretBytes.Random(SeedSize);
        return Import(seed.Span);
    }

    /// <exception cref="SealingException"><see cref="SealingError.InvalidPrivateKey"/>: not 32 bytes.</exception>
    public static Ed25519Key Import(ReadOnlySpan<byte> seed) => seed.Length == SeedSize
        ? new Ed25519Key(EvpRawKey.Private("ED25519", seed))
        : throw new SealingException(SealingError.InvalidPrivateKey, $"An Ed25519 seed has {SeedSize} bytes, this one {seed.Length}.");

    public static bool IsPkcs8(ReadOnlySpan<byte> der) => der.Length == Pkcs8Size && der.StartsWith(Pkcs8Prefix);

    public static Ed25519Key ImportPkcs8(ReadOnlySpan<byte> der) => IsPkcs8(der)
        ? Import(der[Pkcs8Prefix.Length..])
        : throw new SealingException(SealingError.InvalidPrivateKey, "Not an Ed25519 private key in PKCS#8 without attributes (RFC 8410).");

    public SecretBytes ExportPkcs8()
    {
        using SecretBytes seed = EvpRawKey.PrivateBytes(key);
        SecretBytes der = SecretBytes.Empty(Pkcs8Size);
        Pkcs8Prefix.CopyTo(der.Writable);
        seed.Span.CopyTo(der.Writable[Pkcs8Prefix.Length..]);
        return der;
    }

    public static bool IsSpki(ReadOnlySpan<byte> der) => der.Length == SpkiSize && der.StartsWith(SpkiPrefix);

    public static ReadOnlySpan<byte> PublicKeyOf(ReadOnlySpan<byte> spki) => IsSpki(spki)
        ? spki[SpkiPrefix.Length..]
        : throw new SealingException(SealingError.InvalidPublicKey, "Not an Ed25519 SubjectPublicKeyInfo (RFC 8410).");

    public byte[] ExportSpki() => [.. SpkiPrefix, .. publicKey];

    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        using EvpDigestHandle context = LibCryptoLibrary.Check(Evp.EVP_MD_CTX_new(), "a signing context");
        LibCryptoLibrary.Check(Evp.EVP_DigestSignInit(context, 0, 0, 0, key), "to begin an Ed25519 signature");
        byte[] signature = new byte[SignatureSize];
        nuint length = SignatureSize;
        LibCryptoLibrary.Check(Evp.EVP_DigestSign(context, signature, ref length, message, (nuint)message.Length), "an Ed25519 signature");
        return length == SignatureSize ? signature : throw new SealingException(SealingError.PlatformFailure, $"libcrypto gave an Ed25519 signature of {length} bytes.");
    }

    /// <summary>Whether the signature is the key's over the message. A wrong length is a wrong signature.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicKeySize)
            throw new ArgumentException($"An Ed25519 public key has {PublicKeySize} bytes.", nameof(publicKey));
        if (signature.Length != SignatureSize)
            return false;
        using EvpKeyHandle key = EvpRawKey.Public("ED25519", publicKey);
        using EvpDigestHandle context = LibCryptoLibrary.Check(Evp.EVP_MD_CTX_new(), "a verifying context");
        LibCryptoLibrary.Check(Evp.EVP_DigestVerifyInit(context, 0, 0, 0, key), "to begin an Ed25519 verification");
        // 0 is a wrong signature; a negative status a signature or key that does not decode. Neither is valid.
        bool valid = Evp.EVP_DigestVerify(context, signature, (nuint)signature.Length, message, (nuint)message.Length) == 1;
        LibCryptoLibrary.ClearErrors();
        return valid;
    }

    public void Dispose() => key.Dispose();
}
