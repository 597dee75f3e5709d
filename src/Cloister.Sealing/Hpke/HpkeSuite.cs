// Hybrid public key encryption, base mode.
//
// References: RFC 9180: 4.1 (DHKEM), 5.1 (key schedule), 5.2 (encryption), 5.3 (export), 7 (identifiers and sizes).
// Sizes:      P-256: private key 32, public key and encapsulation 65; X25519: 32 each; shared secret 32.
//             AES-128-GCM: key 16; AES-256-GCM and ChaCha20-Poly1305: key 32; nonce 12, tag 16 bytes.
using System.Buffers.Binary;

namespace Cloister.Sealing;

/// <summary>Key encapsulation mechanisms, by their numbers in RFC 9180, 7.1. Each goes with HKDF-SHA256.</summary>
public enum HpkeKem
{
    /// <summary>DHKEM(P-256, HKDF-SHA256).</summary>
    P256 = 0x0010,

    /// <summary>DHKEM(X25519, HKDF-SHA256). Needs libcrypto of OpenSSL 3.</summary>
    X25519 = 0x0020,
}

/// <summary>Ciphers, by their numbers in RFC 9180, 7.3.</summary>
public enum HpkeAead
{
    /// <summary>AES-128-GCM.</summary>
    Aes128Gcm = 0x0001,

    /// <summary>AES-256-GCM.</summary>
    Aes256Gcm = 0x0002,

    /// <summary>ChaCha20-Poly1305.</summary>
    ChaCha20Poly1305 = 0x0003,

    /// <summary>No cipher: the context only exports secrets.</summary>
    ExportOnly = 0xFFFF,
}

/// <summary>A cipher suite of RFC 9180 in base mode; its key derivation function is HKDF-SHA256.</summary>
/// <param name="Kem">The key encapsulation mechanism.</param>
/// <param name="Aead">The cipher.</param>
public readonly record struct HpkeSuite(HpkeKem Kem, HpkeAead Aead)
{
    internal const int TagSize = 16, NonceSize = 12;
    private const ushort HkdfSha256 = 0x0001;

    /// <summary>Bytes in a key of the cipher (Nk); 0 for export only.</summary>
    internal int KeySize => Aead switch
    {
        HpkeAead.Aes128Gcm => 16,
        HpkeAead.Aes256Gcm or HpkeAead.ChaCha20Poly1305 => 32,
        HpkeAead.ExportOnly => 0,
        _ => throw new ArgumentException($"Not a cipher of RFC 9180: {(int)Aead}."),
    };

    /// <summary>suite_id of RFC 9180, 5.1.</summary>
    internal byte[] Id()
    {
        byte[] id = [.. "HPKE"u8, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(4), (ushort)Kem);
        BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(6), HkdfSha256);
        BinaryPrimitives.WriteUInt16BigEndian(id.AsSpan(8), (ushort)Aead);
        return id;
    }
}
