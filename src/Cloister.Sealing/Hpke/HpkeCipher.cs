using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>One interface over the three ciphers of RFC 9180.</summary>
internal abstract class HpkeCipher : IDisposable
{
    public static HpkeCipher? Create(HpkeAead aead, ReadOnlySpan<byte> key) => aead switch
    {
        HpkeAead.ExportOnly => null,
        HpkeAead.ChaCha20Poly1305 => new ChaCha(key),
        _ => new Gcm(key),
    };

    public abstract void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associatedData);

    /// <exception cref="AuthenticationTagMismatchException">The ciphertext is not authentic.</exception>
    public abstract void Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associatedData);

    public abstract void Dispose();

    private sealed class Gcm(ReadOnlySpan<byte> key) : HpkeCipher
    {
        private readonly AesGcm cipher = new(key, HpkeSuite.TagSize);

        public override void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            cipher.Encrypt(nonce, plaintext, ciphertext, tag, associatedData);

        public override void Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associatedData) =>
            cipher.Decrypt(nonce, ciphertext, tag, plaintext, associatedData);

        public override void Dispose() => cipher.Dispose();
    }

    private sealed class ChaCha(ReadOnlySpan<byte> key) : HpkeCipher
    {
        private readonly ChaCha20Poly1305 cipher = new(key);

        public override void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> ciphertext, Span<byte> tag, ReadOnlySpan<byte> associatedData) =>
            cipher.Encrypt(nonce, plaintext, ciphertext, tag, associatedData);

        public override void Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> associatedData) =>
            cipher.Decrypt(nonce, ciphertext, tag, plaintext, associatedData);

        public override void Dispose() => cipher.Dispose();
    }
}
