namespace Cloister.Sealing;

/// <summary>What X25519 and Ed25519 keys share in libcrypto: 32 raw bytes in, 32 raw bytes out.</summary>
internal static class EvpRawKey
{
    public const int Size = 32;

    public static EvpKeyHandle Private(string algorithm, ReadOnlySpan<byte> raw)
    {
        LibCryptoLibrary.EnsureAvailable();
        return LibCryptoLibrary.Check(Evp.EVP_PKEY_new_raw_private_key_ex(0, algorithm, null, raw, (nuint)raw.Length), $"an {algorithm} private key");
    }

    public static EvpKeyHandle Public(string algorithm, ReadOnlySpan<byte> raw)
    {
        LibCryptoLibrary.EnsureAvailable();
        return LibCryptoLibrary.Check(Evp.EVP_PKEY_new_raw_public_key_ex(0, algorithm, null, raw, (nuint)raw.Length), $"an {algorithm} public key");
    }

    public static byte[] PublicBytes(EvpKeyHandle key)
    {
        byte[] raw = new byte[Size];
        nuint length = Size;
        LibCryptoLibrary.Check(Evp.EVP_PKEY_get_raw_public_key(key, raw, ref length), "to give a public key");
        return length == Size ? raw : throw new SealingException(SealingError.PlatformFailure, $"libcrypto gave a public key of {length} bytes instead of {Size}.");
    }

    public static SecretBytes PrivateBytes(EvpKeyHandle key)
    {
        SecretBytes raw = SecretBytes.Empty(Size);
        nuint length = Size;
        try
        {
            LibCryptoLibrary.Check(Evp.EVP_PKEY_get_raw_private_key(key, raw.Writable, ref length), "to give a private key");
            return length == Size ? raw : throw new SealingException(SealingError.PlatformFailure, $"libcrypto gave a private key of {length} bytes instead of {Size}.");
        }
        catch
        {
            raw.Dispose();
            throw;
        }
    }
}
