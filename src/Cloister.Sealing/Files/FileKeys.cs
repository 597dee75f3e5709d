using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>What HKDF-SHA256(key, salt, header digest) yields: the key of this one file and a commitment, which keeps one ciphertext from opening under two keys.</summary>
internal sealed class FileKeys : IDisposable
{
    private readonly SecretBytes fileKey;
    private readonly byte[] headerDigest;

    private FileKeys(SecretBytes fileKey, byte[] commitment, byte[] headerDigest)
    {
        this.fileKey = fileKey;
        this.headerDigest = headerDigest;
        Commitment = commitment;
    }

    public byte[] Commitment { get; }

    public static FileKeys Derive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, byte[] headerDigest)
    {
        using SecretBytes both = SecretBytes.Empty(SealedFormat.KeySize + SealedFormat.CommitmentSize);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, both.Writable, salt, LengthPrefixed.Join("cloister/sealed/key/v1"u8, headerDigest));
        return new FileKeys(SecretBytes.Copy(both.Span[..SealedFormat.KeySize]), both.Span[SealedFormat.KeySize..].ToArray(), headerDigest);
    }

    /// <summary>A cipher for one thread.</summary>
    public ChunkCipher CreateCipher() => new(fileKey.Span, headerDigest);

    public static void CheckLength(ReadOnlyMemory<byte> key)
    {
        if (key.Length != SealedFormat.KeySize)
            throw new SealingException(SealingError.KeyLength, $"A key has {SealedFormat.KeySize} bytes, this one {key.Length}. Give the key that the file was sealed with.");
    }

    public void Dispose() => fileKey.Dispose();
}
