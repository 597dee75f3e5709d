using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>What sender and recipient share after the key schedule (RFC 9180, 5.1 to 5.3). Not for two threads at once.</summary>
internal sealed class HpkeContext : IDisposable
{
    private const int MaxExport = 255 * HpkeKdf.HashSize;
    private const byte BaseMode = 0;

    private readonly byte[] suiteId;
    private readonly SecretBytes baseNonce, exporterSecret;
    private readonly HpkeCipher? cipher;

    private HpkeContext(byte[] suiteId, SecretBytes baseNonce, SecretBytes exporterSecret, HpkeCipher? cipher)
    {
        this.suiteId = suiteId;
        this.baseNonce = baseNonce;
        this.exporterSecret = exporterSecret;
        this.cipher = cipher;
    }

    /// <summary>The next message's number. RFC 9180 allows 2^96; a counter of 64 bits ends earlier and never repeats.</summary>
    internal ulong Sequence { get; set; }

    /// <param name="suite">The suite.</param>
    /// <param name="key">The own key: the sender's for this message, or the recipient's.</param>
    /// <param name="peer">The other side's public key.</param>
    /// <param name="encapsulation">The sender's public key.</param>
    /// <param name="recipient">The recipient's public key.</param>
    /// <param name="info">What both sides bind the context to.</param>
    public static HpkeContext Create(HpkeSuite suite, HpkePrivateKey key, ReadOnlySpan<byte> peer, ReadOnlySpan<byte> encapsulation, ReadOnlySpan<byte> recipient, ReadOnlySpan<byte> info)
    {
        if (key.Kem != suite.Kem)
            throw new ArgumentException($"A key for {key.Kem} does not fit a suite with {suite.Kem}.", nameof(key));
        int keySize = suite.KeySize;
        byte[] kemId = HpkePrivateKey.KemId(suite.Kem);
        using SecretBytes agreed = key.Agree(peer);
        using SecretBytes prk = HpkeKdf.Extract(kemId, default, "eae_prk"u8, agreed.Span);
        using SecretBytes shared = HpkeKdf.Expand(kemId, prk, "shared_secret"u8, [.. encapsulation, .. recipient], HpkeKdf.HashSize);

        byte[] suiteId = suite.Id();
        using SecretBytes noPskId = HpkeKdf.Extract(suiteId, default, "psk_id_hash"u8, default);
        using SecretBytes infoHash = HpkeKdf.Extract(suiteId, default, "info_hash"u8, info);
        byte[] context = [BaseMode, .. noPskId.Span, .. infoHash.Span];
        using SecretBytes secret = HpkeKdf.Extract(suiteId, shared.Span, "secret"u8, default);
        using SecretBytes cipherKey = HpkeKdf.Expand(suiteId, secret, "key"u8, context, keySize);
        return new HpkeContext(suiteId,
            HpkeKdf.Expand(suiteId, secret, "base_nonce"u8, context, keySize == 0 ? 0 : HpkeSuite.NonceSize),
            HpkeKdf.Expand(suiteId, secret, "exp"u8, context, HpkeKdf.HashSize),
            HpkeCipher.Create(suite.Aead, cipherKey.Span));
    }

    public byte[] Seal(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext)
    {
        HpkeCipher sealing = RequireCipher();
        Span<byte> nonce = stackalloc byte[HpkeSuite.NonceSize];
        Nonce(nonce);
        byte[] ciphertext = new byte[checked(plaintext.Length + HpkeSuite.TagSize)];
        sealing.Seal(nonce, plaintext, ciphertext.AsSpan(0, plaintext.Length), ciphertext.AsSpan(plaintext.Length), associatedData);
        Sequence++;
        return ciphertext;
    }

    public byte[] Open(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext)
    {
        HpkeCipher opening = RequireCipher();
        if (ciphertext.Length < HpkeSuite.TagSize)
            throw Refused(null);
        Span<byte> nonce = stackalloc byte[HpkeSuite.NonceSize];
        Nonce(nonce);
        byte[] plaintext = GC.AllocateArray<byte>(ciphertext.Length - HpkeSuite.TagSize, pinned: true);
        try
        {
            opening.Open(nonce, ciphertext[..^HpkeSuite.TagSize], ciphertext[^HpkeSuite.TagSize..], plaintext, associatedData);
        }
        catch (AuthenticationTagMismatchException problem)
        {
            throw Refused(problem);
        }
        Sequence++; // only a message that was accepted counts (RFC 9180, 5.2)
        return plaintext;
    }

    public SecretBytes Export(ReadOnlySpan<byte> context, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxExport);
        return HpkeKdf.Expand(suiteId, exporterSecret, "sec"u8, context, length);
    }

    public void Dispose()
    {
        baseNonce.Dispose();
        exporterSecret.Dispose();
        cipher?.Dispose();
    }

    private HpkeCipher RequireCipher() => cipher ?? throw new InvalidOperationException("This suite only exports secrets.");

    private void Nonce(Span<byte> nonce)
    {
        if (Sequence == ulong.MaxValue)
            throw new SealingException(SealingError.HpkeMessageLimit, "This HPKE context has used up its numbers. Set up a new one.");
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[^8..], Sequence);
        ReadOnlySpan<byte> mask = baseNonce.Span;
        for (int i = 0; i < nonce.Length; i++)
            nonce[i] ^= mask[i];
    }

    private static SealingException Refused(Exception? inner) =>
        new(SealingError.HpkeCiphertext, "The HPKE message does not authenticate: it was changed, reordered, or meant for another key, info or associated data.", inner);
}
