namespace Cloister.Sealing;

/// <summary>Opens the messages of one sender's context in their order (RFC 9180, base mode). Not for two threads at once.</summary>
public sealed class HpkeRecipient : IDisposable
{
    private readonly HpkeContext context;

    private HpkeRecipient(HpkeContext context) => this.context = context;

    internal HpkeContext Context => context;

    internal static ReadOnlySpan<byte> FuzzKey => "a recipient's fixed key for fuzzing"u8;

    /// <summary>Sets up the recipient's side.</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="key">The recipient's key, which stays the caller's.</param>
    /// <param name="encapsulation">What the sender sent (enc).</param>
    /// <param name="info">What both sides bind the context to.</param>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPublicKey"/> or <see cref="SealingError.WeakSharedSecret"/>: the encapsulation is no genuine key.</exception>
    public static HpkeRecipient Setup(HpkeSuite suite, HpkePrivateKey key, ReadOnlySpan<byte> encapsulation, ReadOnlySpan<byte> info)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new(HpkeContext.Create(suite, key, encapsulation, encapsulation, key.PublicKey.Span, info));
    }

    /// <summary>Opens the next message. A refused one does not count: the genuine one can still follow.</summary>
    /// <returns>The plaintext, pinned, which the caller zeroes after use.</returns>
    /// <exception cref="SealingException"><see cref="SealingError.HpkeCiphertext"/>: not this sender's next message; <see cref="SealingError.HpkeMessageLimit"/>.</exception>
    /// <exception cref="InvalidOperationException">The suite only exports.</exception>
    public byte[] Open(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext) => context.Open(associatedData, ciphertext);

    /// <summary>A secret that both sides can derive.</summary>
    /// <param name="exporterContext">What the secret is for.</param>
    /// <param name="length">Bytes, at most 8160.</param>
    public SecretBytes Export(ReadOnlySpan<byte> exporterContext, int length) => context.Export(exporterContext, length);

    /// <summary>Wipes the context's secrets.</summary>
    public void Dispose() => context.Dispose();

    /// <summary>Fuzz target: any encapsulation and message open or are refused as documented.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        foreach ((HpkeKem kem, int size) in new[] { (HpkeKem.P256, 65), (HpkeKem.X25519, 32) })
        {
            try
            {
                using HpkePrivateKey key = HpkePrivateKey.Derive(kem, FuzzKey);
                using HpkeRecipient recipient = Setup(new HpkeSuite(kem, HpkeAead.Aes256Gcm), key, data[..Math.Min(size, data.Length)], default);
                _ = recipient.Open(default, data[Math.Min(size, data.Length)..]);
            }
            catch (SealingException refused) when (refused.Error is SealingError.InvalidPublicKey or SealingError.WeakSharedSecret or SealingError.HpkeCiphertext)
            {
            }
        }
    }
}
