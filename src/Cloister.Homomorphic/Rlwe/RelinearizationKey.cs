using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>Takes the third part off a product of two ciphertexts: the key that leads from s^2 to s. It is public, made by the holder of s.</summary>
public sealed class RelinearizationKey : IDisposable
{
    internal RelinearizationKey(KeySwitchingKey key) => Key = key;

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters => Key.Parameters;

    internal KeySwitchingKey Key { get; }

    /// <summary>Makes the key. Each call gives another.</summary>
    /// <exception cref="HomomorphicException">The parameters have no special modulus (<see cref="HomomorphicError.NoSpecialModulus"/>).</exception>
    public static RelinearizationKey Of(SecretKey secret)
    {
        using var square = new RnsPolynomial(secret.Values.Basis, RnsForm.Values);
        square.AddProduct(secret.Values, secret.Values);
        return new RelinearizationKey(KeySwitchingKey.Of(square, secret));
    }

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose() => Key.Dispose();
}
