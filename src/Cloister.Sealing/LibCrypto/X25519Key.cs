// X25519 key agreement.
//
// References: RFC 7748 (the function, its low-order points), RFC 9180 7.1.4 (the all-zero check).
// Sizes:      private key 32, public key 32, shared secret 32 bytes.
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>An X25519 private key, held by libcrypto.</summary>
internal sealed class X25519Key : IDisposable
{
    public const int KeySize = 32, SecretSize = 32;

    private readonly EvpKeyHandle key;
    private readonly byte[] publicKey;

    private X25519Key(EvpKeyHandle key)
    {
        this.key = key;
        publicKey = EvpRawKey.PublicBytes(key);
    }

    public ReadOnlySpan<byte> PublicKey => publicKey;

    /// <summary>Any 32 random bytes are a private key; the function clamps them (RFC 7748, 5).</summary>
    public static X25519Key Generate()
    {
        using SecretBytes raw = SecretBytes.Random(KeySize);
        return Import(raw.Span);
    }

    /// <exception cref="SealingException"><see cref="SealingError.InvalidPrivateKey"/>: not 32 bytes.</exception>
    public static X25519Key Import(ReadOnlySpan<byte> raw) => raw.Length == KeySize
        ? new X25519Key(EvpRawKey.Private("X25519", raw))
        : throw new SealingException(SealingError.InvalidPrivateKey, $"An X25519 private key has {KeySize} bytes, this one {raw.Length}.");

    public SecretBytes Export() => EvpRawKey.PrivateBytes(key);

    /// <summary>The shared secret with a peer.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPublicKey"/>: not 32 bytes; <see cref="SealingError.WeakSharedSecret"/>: a low-order point.</exception>
    public void Agree(ReadOnlySpan<byte> peer, Span<byte> secret)
    {
        if (secret.Length != SecretSize)
            throw new ArgumentException($"An X25519 secret has {SecretSize} bytes.", nameof(secret));
        if (peer.Length != KeySize)
            throw new SealingException(SealingError.InvalidPublicKey, $"An X25519 public key has {KeySize} bytes, this one {peer.Length}.");
        using EvpKeyHandle peerKey = EvpRawKey.Public("X25519", peer);
        using EvpKeyContextHandle context = LibCryptoLibrary.Check(Evp.EVP_PKEY_CTX_new_from_pkey(0, key, 0), "an X25519 context");
        LibCryptoLibrary.Check(Evp.EVP_PKEY_derive_init(context), "to begin an X25519 agreement");
        LibCryptoLibrary.Check(Evp.EVP_PKEY_derive_set_peer(context, peerKey), "an X25519 peer");
        secret.Clear();
        nuint length = SecretSize;
        int status = Evp.EVP_PKEY_derive(context, secret, ref length);
        // libcrypto fails on an all-zero result by itself; the comparison keeps that true whatever library is found.
        if (status != 1 || length != SecretSize || CryptographicOperations.FixedTimeEquals(secret, stackalloc byte[SecretSize]))
        {
            LibCryptoLibrary.ClearErrors();
            CryptographicOperations.ZeroMemory(secret);
            throw new SealingException(SealingError.WeakSharedSecret, "The X25519 agreement gave no secret: the peer's public key is a low-order point. Ask the peer for a genuine key.");
        }
    }

    public void Dispose() => key.Dispose();
}
