// The keys of one commit.
//
// References: RFC 5869 (HKDF-SHA256); NIST SP 800-38D (AES-GCM); chunk number and "last" are authenticated as in STREAM (Hoang et al. 2015).
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Images.Volumes;

/// <summary>Seals and opens the chunks of one commit. Not for two threads at once.</summary>
internal sealed class DiskKeys : IDisposable
{
    public const int KeySize = 32;

    private const int NonceSize = 12, ContextSize = 32, AssociatedSize = ContextSize + 8 + 1;

    private readonly AesGcm _cipher;
    private readonly byte[] _context;

    private DiskKeys(ReadOnlySpan<byte> contentKey, byte[] context, byte[] commitment)
    {
        _cipher = new AesGcm(contentKey, DiskLayout.TagSize);
        _context = context;
        Commitment = commitment;
    }

    /// <summary>What a header states, so that a commit opens under one key alone.</summary>
    public byte[] Commitment { get; }

    public static DiskKeys Derive(ReadOnlySpan<byte> key, DiskIdentity identity, ulong version, ReadOnlySpan<byte> salt)
    {
        if (key.Length != KeySize)
            throw new ArgumentException($"A disk's key has {KeySize} bytes, not {key.Length}.", nameof(key));
        byte[] number = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(number, version);
        byte[] context = SHA256.HashData(Join("cloister/disk/context/v1"u8, [.. identity.Parts(), number, salt.ToArray()]));
        Span<byte> both = stackalloc byte[KeySize + DiskHeader.CommitmentSize];
        try
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key, both, salt, Join("cloister/disk/key/v1"u8, context));
            return new DiskKeys(both[..KeySize], context, both[KeySize..].ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(both);
        }
    }

    /// <summary>The keys that a header wants, or null if this key and identity are not its.</summary>
    public static DiskKeys? Open(ReadOnlySpan<byte> key, DiskIdentity identity, DiskHeader header)
    {
        DiskKeys keys = Derive(key, identity, header.Version, header.Salt);
        if (CryptographicOperations.FixedTimeEquals(keys.Commitment, header.Commitment))
            return keys;
        keys.Dispose();
        return null;
    }

    /// <summary>Identifies a key without telling it.</summary>
    public static byte[] KeyId(ReadOnlySpan<byte> key)
    {
        byte[] id = new byte[DiskHeader.KeyIdSize];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, id, default, Join("cloister/disk/key-id/v1"u8));
        return id;
    }

    /// <summary>What a commit is known by: covers identity and header, and with it every chunk.</summary>
    public static byte[] DigestOf(DiskIdentity identity, DiskHeader header)
    {
        byte[] block = new byte[IBlockDevice.BlockSize];
        header.Write(block);
        return SHA256.HashData(Join("cloister/disk/commit/v1"u8, [.. identity.Parts(), block[..DiskHeader.Used]]));
    }

    /// <param name="index">The chunk's number; each is used once under the commit's key.</param>
    /// <param name="last">Whether it is the commit's last.</param>
    /// <param name="plaintext">The chunk.</param>
    /// <param name="sealedChunk">As long as the plaintext and the tag.</param>
    public void Seal(long index, bool last, ReadOnlySpan<byte> plaintext, Span<byte> sealedChunk)
    {
        Span<byte> nonce = stackalloc byte[NonceSize], associated = stackalloc byte[AssociatedSize];
        Number(index, last, nonce, associated);
        _cipher.Encrypt(nonce, plaintext, sealedChunk[..^DiskLayout.TagSize], sealedChunk[^DiskLayout.TagSize..], associated);
    }

    /// <exception cref="ImageException"><see cref="ImageError.DiskChanged"/>.</exception>
    public void Open(long index, bool last, ReadOnlySpan<byte> sealedChunk, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize], associated = stackalloc byte[AssociatedSize];
        Number(index, last, nonce, associated);
        try
        {
            _cipher.Decrypt(nonce, sealedChunk[..^DiskLayout.TagSize], sealedChunk[^DiskLayout.TagSize..], plaintext, associated);
        }
        catch (AuthenticationTagMismatchException problem)
        {
            throw new ImageException(ImageError.DiskChanged,
                $"Chunk {index} of the sealed disk is not what was sealed: the disk was changed, or its storage lost something. Give the machine the disk that it wrote last.", problem);
        }
    }

    public void Dispose() => _cipher.Dispose();

    private void Number(long index, bool last, Span<byte> nonce, Span<byte> associated)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce, index);
        _context.CopyTo(associated);
        BinaryPrimitives.WriteInt64LittleEndian(associated[ContextSize..], index);
        associated[^1] = last ? (byte)1 : (byte)0;
    }

    // Every part behind its length, so that no two lists of parts give the same bytes.
    private static byte[] Join(ReadOnlySpan<byte> label, params ReadOnlySpan<byte[]> parts)
    {
        using var joined = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        Put(label, length);
        foreach (byte[] part in parts)
            Put(part, length);
        return joined.ToArray();

        void Put(ReadOnlySpan<byte> part, Span<byte> size)
        {
            BinaryPrimitives.WriteInt32LittleEndian(size, part.Length);
            joined.Write(size);
            joined.Write(part);
        }
    }
}
