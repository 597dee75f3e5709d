namespace Cloister.Platform;

/// <summary>Encrypts small secrets so that this platform alone can open them.</summary>
public interface IPlatformSealer
{
    /// <summary>What holds the key, such as <c>host-key</c>. Stored beside a sealed secret, so that a later start knows whom to ask.</summary>
    string Kind { get; }

    /// <summary>Seals a secret.</summary>
    /// <param name="secret">The secret; stays the caller's to zero.</param>
    /// <param name="associatedData">What it belongs to; unsealing needs the same bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PlatformException">The platform's key cannot be used.</exception>
    ValueTask<byte[]> SealAsync(ReadOnlyMemory<byte> secret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation);

    /// <summary>Unseals a secret.</summary>
    /// <param name="sealedSecret">What <see cref="SealAsync"/> gave.</param>
    /// <param name="associatedData">The associated data it was sealed with.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The secret, which the caller zeroes after use.</returns>
    /// <exception cref="PlatformException">Sealed elsewhere, changed, or the key cannot be used.</exception>
    ValueTask<byte[]> UnsealAsync(ReadOnlyMemory<byte> sealedSecret, ReadOnlyMemory<byte> associatedData, CancellationToken cancellation);
}
