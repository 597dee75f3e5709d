using System.Security.Cryptography;
using static Cloister.Client.Pkcs11.Cryptoki;

namespace Cloister.Client.Pkcs11;

/// <summary>A private RSA key inside a token.</summary>
internal sealed class Pkcs11Rsa : RSA
{
    private readonly ulong _key;
    private readonly RSA _public;

    public Pkcs11Rsa(Pkcs11Token token, ulong key, RSAParameters half)
    {
        (Token, _key, _public) = (token, key, Create(half));
        KeySizeValue = _public.KeySize;
        LegalKeySizesValue = [new KeySizes(KeySizeValue, KeySizeValue, 0)];
    }

    public Pkcs11Token Token { get; }

    private int Bytes => (KeySize + 7) / 8;

    public override byte[] SignHash(byte[] hash, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding)
    {
        ArgumentNullException.ThrowIfNull(hash);
        if (padding == RSASignaturePadding.Pkcs1)
            return PrivateOperation(CKM_RSA_PKCS, [.. DigestInfo(hashAlgorithm), .. hash]);
        if (padding != RSASignaturePadding.Pss)
            throw new CryptographicException("A token's key signs with PKCS#1 v1.5 and PSS.");
        (ulong digest, ulong mask) = Numbers(hashAlgorithm);
        return Token.Sign(_key, CKM_RSA_PKCS_PSS, Words(digest, mask, (ulong)hash.Length), hash, Bytes);
    }

    public override byte[] Decrypt(byte[] data, RSAEncryptionPadding padding)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(padding);
        if (padding.Mode != RSAEncryptionPaddingMode.Oaep)
            throw new CryptographicException("A token's key decrypts with OAEP.");
        (ulong digest, ulong mask) = Numbers(padding.OaepHashAlgorithm);
        try
        {
            return Token.Decrypt(_key, CKM_RSA_PKCS_OAEP, OaepParameters(digest, mask), data, Bytes);
        }
        catch (Pkcs11Exception refused) when (refused.ReturnValue is 0x07 or 0x70 or 0x71)
        {
            // SoftHSM and some cards know OAEP with SHA-1 alone: the token then undoes the exponentiation, and the padding is taken off here.
            byte[] padded = Token.Decrypt(_key, CKM_RSA_X_509, [], data, Bytes);
            try
            {
                return OaepPadding.Remove(padded, Bytes, padding.OaepHashAlgorithm);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(padded);
            }
        }
    }

    /// <summary>The bare private operation, for OpenSSL: <c>CKM_RSA_PKCS</c> or <c>CKM_RSA_X_509</c>.</summary>
    public byte[] PrivateOperation(ulong mechanism, ReadOnlySpan<byte> data) => Token.Sign(_key, mechanism, [], data, Bytes);

    public override bool VerifyHash(byte[] hash, byte[] signature, HashAlgorithmName hashAlgorithm, RSASignaturePadding padding) => _public.VerifyHash(hash, signature, hashAlgorithm, padding);

    public override byte[] Encrypt(byte[] data, RSAEncryptionPadding padding) => _public.Encrypt(data, padding);

    public override RSAParameters ExportParameters(bool includePrivateParameters) => includePrivateParameters
        ? throw new CryptographicException("A token's private key does not leave it.")
        : _public.ExportParameters(false);

    public override void ImportParameters(RSAParameters parameters) => throw new NotSupportedException("A token's key cannot be replaced.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _public.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>What stands before the hash in a PKCS#1 v1.5 signature (RFC 8017 section 9.2, note 1).</summary>
    private static byte[] DigestInfo(HashAlgorithmName hash) => hash.Name switch
    {
        "SHA256" => [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20],
        "SHA384" => [0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30],
        "SHA512" => [0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40],
        _ => throw new CryptographicException($"A token's key signs SHA-256, SHA-384 and SHA-512, not {hash.Name}."),
    };

    /// <summary>CKM_ and CKG_MGF1_ of a hash.</summary>
    private static (ulong Digest, ulong Mask) Numbers(HashAlgorithmName hash) => hash.Name switch
    {
        "SHA1" => (0x220, 1),
        "SHA256" => (0x250, 2),
        "SHA384" => (0x260, 3),
        "SHA512" => (0x270, 4),
        _ => throw new CryptographicException($"A token's key knows SHA-1, SHA-256, SHA-384 and SHA-512, not {hash.Name}."),
    };

    // CK_RSA_PKCS_OAEP_PARAMS: hash, mask generation, source; then a pointer and a length, which an empty label leaves zero.
    private static byte[] OaepParameters(ulong digest, ulong mask) => [.. Words(digest, mask, CKZ_DATA_SPECIFIED), .. new byte[IntPtr.Size + Pkcs11Module.WordBytes]];

    private static byte[] Words(params ReadOnlySpan<ulong> words)
    {
        var bytes = new byte[words.Length * Pkcs11Module.WordBytes];
        for (int i = 0; i < words.Length; i++)
            AttributeTemplate.Word(words[i]).CopyTo(bytes, i * Pkcs11Module.WordBytes);
        return bytes;
    }
}
