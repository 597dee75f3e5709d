namespace Cloister.Sealing;

/// <summary>Encrypts a sequence of messages to a recipient's public key (RFC 9180, base mode: the sender is anonymous). Not for two threads at once.</summary>
public sealed class HpkeSender : IDisposable
{
    private readonly HpkeContext context;

    private HpkeSender(HpkeContext context, ReadOnlyMemory<byte> encapsulation)
    {
        this.context = context;
        Encapsulation = encapsulation;
    }

    /// <summary>What the recipient needs to set up its side (enc): 65 bytes for P-256, 32 for X25519.</summary>
    public ReadOnlyMemory<byte> Encapsulation { get; }

    internal HpkeContext Context => context;

    /// <summary>Sets up a context with a fresh key.</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="recipientPublicKey">The recipient's public key as <see cref="HpkePrivateKey.PublicKey"/> gives it.</param>
    /// <param name="info">What both sides bind the context to.</param>
    /// <exception cref="SealingException"><see cref="SealingError.InvalidPublicKey"/> or <see cref="SealingError.WeakSharedSecret"/>.</exception>
    /// <exception cref="PlatformNotSupportedException">X25519 where libcrypto 3 is absent.</exception>
    public static HpkeSender Setup(HpkeSuite suite, ReadOnlySpan<byte> recipientPublicKey, ReadOnlySpan<byte> info)
    {
        using HpkePrivateKey ephemeral = HpkePrivateKey.Generate(suite.Kem);
        return Setup(suite, recipientPublicKey, info, ephemeral);
    }

    /// <summary>Encrypts the next message; 16 bytes longer than its plaintext.</summary>
    /// <exception cref="InvalidOperationException">The suite only exports.</exception>
    /// <exception cref="SealingException"><see cref="SealingError.HpkeMessageLimit"/>.</exception>
    public byte[] Seal(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext) => context.Seal(associatedData, plaintext);

    /// <summary>A secret that both sides can derive.</summary>
    /// <param name="exporterContext">What the secret is for.</param>
    /// <param name="length">Bytes, at most 8160.</param>
    public SecretBytes Export(ReadOnlySpan<byte> exporterContext, int length) => context.Export(exporterContext, length);

    /// <summary>Wipes the context's secrets.</summary>
    public void Dispose() => context.Dispose();

    // With a given key for published vectors alone: the same key twice to one recipient repeats every nonce.
    internal static HpkeSender Setup(HpkeSuite suite, ReadOnlySpan<byte> recipientPublicKey, ReadOnlySpan<byte> info, HpkePrivateKey ephemeral) =>
        new(HpkeContext.Create(suite, ephemeral, recipientPublicKey, ephemeral.PublicKey.Span, recipientPublicKey, info), ephemeral.PublicKey);
}
