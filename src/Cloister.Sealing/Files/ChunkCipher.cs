// One chunk of a sealed file.
//
// References: NIST SP 800-38D (AES-GCM); the chunking is the STREAM construction's idea (Hoang et al. 2015): number and "last" flag are authenticated.
// Sizes:      key 32, nonce 12, tag 16, associated data 41 bytes.
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>Encrypts and opens chunks. Not for two threads at once.</summary>
internal sealed class ChunkCipher : IDisposable
{
    private const int NonceSize = 12, AssociatedSize = SealedFormat.DigestSize + 8 + 1;

    private readonly AesGcm cipher;
    private readonly byte[] headerDigest;

    public ChunkCipher(ReadOnlySpan<byte> fileKey, byte[] headerDigest)
    {
        cipher = new AesGcm(fileKey, SealedFormat.TagSize);
        this.headerDigest = headerDigest;
    }

    /// <param name="sealedChunk">As long as the plaintext and the tag.</param>
    /// <param name="index">The chunk's number in the file: each is used once under the file's key.</param>
    /// <param name="last">Whether it is the file's last.</param>
    /// <param name="plaintext">The chunk.</param>
    public void Seal(long index, bool last, ReadOnlySpan<byte> plaintext, Span<byte> sealedChunk)
    {
        Span<byte> nonce = stackalloc byte[NonceSize], associated = stackalloc byte[AssociatedSize];
        Number(index, last, nonce, associated);
        cipher.Encrypt(nonce, plaintext, sealedChunk[..^SealedFormat.TagSize], sealedChunk[^SealedFormat.TagSize..], associated);
    }

    /// <exception cref="SealingException"><see cref="SealingError.ChunkTag"/>; the plaintext buffer is then zero.</exception>
    public void Open(long index, bool last, ReadOnlySpan<byte> sealedChunk, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize], associated = stackalloc byte[AssociatedSize];
        Number(index, last, nonce, associated);
        try
        {
            cipher.Decrypt(nonce, sealedChunk[..^SealedFormat.TagSize], sealedChunk[^SealedFormat.TagSize..], plaintext, associated);
        }
        catch (AuthenticationTagMismatchException problem)
        {
            plaintext.Clear();
            throw new SealingException(SealingError.ChunkTag, $"Chunk {index} does not authenticate under the file's key. Its maker sealed it wrongly; ask for the file again.", problem);
        }
    }

    public void Dispose() => cipher.Dispose();

    private void Number(long index, bool last, Span<byte> nonce, Span<byte> associated)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce, index);
        headerDigest.CopyTo(associated);
        BinaryPrimitives.WriteInt64LittleEndian(associated[SealedFormat.DigestSize..], index);
        associated[^1] = last ? (byte)1 : (byte)0;
    }
}
