using System.Buffers.Binary;

namespace Cloister.Sealing;

/// <summary>A key pair of a KEM: a recipient's, or a sender's for one message.</summary>
public abstract class HpkePrivateKey : IDisposable
{
    private protected HpkePrivateKey()
    {
    }

    /// <summary>The mechanism that the key belongs to.</summary>
    public abstract HpkeKem Kem { get; }

    /// <summary>What senders encrypt to: 65 bytes for P-256 (uncompressed point), 32 for X25519.</summary>
    public abstract ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Whether this machine has a mechanism.</summary>
    public static bool IsSupported(HpkeKem kem) => kem == HpkeKem.P256 || (kem == HpkeKem.X25519 && LibCryptoLibrary.IsAvailable);

    /// <summary>A new key from the system's random generator.</summary>
    /// <exception cref="PlatformNotSupportedException">X25519 where libcrypto 3 is absent; the text says what to install.</exception>
    public static HpkePrivateKey Generate(HpkeKem kem) => kem switch
    {
        HpkeKem.P256 => HpkeP256Key.Generate(),
        HpkeKem.X25519 => new HpkeX25519Key(X25519Key.Generate()),
        _ => throw new ArgumentOutOfRangeException(nameof(kem), kem, "Not a supported KEM."),
    };

    /// <summary>Reads a serialized private key (RFC 9180, 7.1.2): 32 bytes.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPrivateKey"/>: another length, or outside the curve's range.</exception>
    public static HpkePrivateKey Import(HpkeKem kem, ReadOnlySpan<byte> privateKey) => kem switch
    {
        HpkeKem.P256 => HpkeP256Key.Import(privateKey),
        HpkeKem.X25519 => new HpkeX25519Key(X25519Key.Import(privateKey)),
        _ => throw new ArgumentOutOfRangeException(nameof(kem), kem, "Not a supported KEM."),
    };

    /// <summary>The serialized private key, 32 bytes, which the caller owns.</summary>
    public abstract SecretBytes Export();

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The mechanism alone.</summary>
    public override string ToString() => $"HpkePrivateKey({Kem})";

    /// <summary>suite_id of the KEM, RFC 9180, 4.1.</summary>
    internal static byte[] KemId(HpkeKem kem)
    {
        byte[] id = [.. "KEM"u8, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(3), (ushort)kem);
        return id;
    }

    /// <summary>DeriveKeyPair of RFC 9180, 7.1.3. For published vectors: a sender's key that can be derived again breaks the encryption.</summary>
    internal static HpkePrivateKey Derive(HpkeKem kem, ReadOnlySpan<byte> keyMaterial)
    {
        byte[] id = KemId(kem);
        using SecretBytes prk = HpkeKdf.Extract(id, default, "dkp_prk"u8, keyMaterial);
        if (kem == HpkeKem.X25519)
        {
            using SecretBytes raw = HpkeKdf.Expand(id, prk, "sk"u8, default, 32);
            return Import(kem, raw.Span);
        }
        for (int counter = 0; counter < 256; counter++)
        {
            using SecretBytes candidate = HpkeKdf.Expand(id, prk, "candidate"u8, [(byte)counter], 32);
            if (HpkeP256Key.IsInRange(candidate.Span))
                return Import(kem, candidate.Span);
        }
        throw new SealingException(SealingError.InvalidPrivateKey, "No P-256 key could be derived (RFC 9180, 7.1.3: DeriveKeyPairError).");
    }

    /// <summary>The Diffie-Hellman secret with a peer's public key, 32 bytes.</summary>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPublicKey"/> or <see cref="SealingError.WeakSharedSecret"/>.</exception>
    internal abstract SecretBytes Agree(ReadOnlySpan<byte> peer);

    private protected abstract void Dispose(bool disposing);
}
