using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>The constants of format version 1 and the hashes over its parts. docs/formats/sealed-file.md is the text to this code.</summary>
internal static class SealedFormat
{
    public const ushort Version = 1;
    public const byte Aes256GcmSha256 = 1;

    public const int PreambleSize = 16, FixedHeaderSize = 80;
    public const int KeySize = 32, KeyIdSize = 16, SaltSize = 32, DigestSize = 32, CommitmentSize = 32, TagSize = 16;
    public const int ChunkSize = 1 << 20;

    // Caps: a hostile file makes a reader allocate no more than its header's cap and a table no longer than the file itself.
    public const int MaxHeaderSize = 1 << 20, MaxEntries = 2048, MaxNameLength = 255;
    public const long MaxContentLength = 1L << 40;

    public static ReadOnlySpan<byte> Magic => "CLSEALED"u8;

    /// <summary>Identifies a key without telling it: a reader can see which key a file wants.</summary>
    public static byte[] KeyId(ReadOnlySpan<byte> key)
    {
        byte[] id = new byte[KeyIdSize];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, id, default, LengthPrefixed.Join("cloister/sealed/key-id/v1"u8));
        return id;
    }

    public static byte[] HeaderDigest(byte[] header) => SHA256.HashData(LengthPrefixed.Join("cloister/sealed/header/v1"u8, header));

    /// <summary>What the maker signs.</summary>
    public static byte[] SignedMessage(byte[] headerDigest, byte[] commitment, byte[] root) =>
        LengthPrefixed.Join("cloister/sealed/maker/v1"u8, headerDigest, commitment, root);

    /// <summary>What the manifest names.</summary>
    public static byte[] ModelDigest(byte[] headerDigest, byte[] commitment, byte[] root) =>
        SHA256.HashData(LengthPrefixed.Join("cloister/sealed/digest/v1"u8, headerDigest, commitment, root));

    public static int TrustBlockSize(SignatureAlgorithm algorithm) =>
        CommitmentSize + DigestSize + MakerPublicKey.SpkiSize(algorithm) + MakerPublicKey.SignatureSize;

    /// <summary>Where the ciphertext chunks begin.</summary>
    public static long ChunksAt(int headerSize, SealedHeader header) =>
        headerSize + TrustBlockSize(header.SignatureAlgorithm) + ((long)DigestSize * header.ChunkCount);

    /// <summary>Length of a whole file.</summary>
    public static long FileLength(int headerSize, SealedHeader header) =>
        ChunksAt(headerSize, header) + header.ContentLength + ((long)TagSize * header.ChunkCount);
}
