using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>A secret polynomial with coefficients -1, 0, 1. Whoever holds it reads every ciphertext made under it; it never leaves its owner. Zeroed when disposed of.</summary>
public sealed class SecretKey : IDisposable
{
    internal SecretKey(RlweParameters parameters, RnsPolynomial values) => (Parameters, Values) = (parameters, values);

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>Values over the whole chain.</summary>
    internal RnsPolynomial Values { get; }

    /// <summary>Draws a key from the system's random numbers.</summary>
    public static SecretKey Generate(RlweParameters parameters)
    {
        using SeedExpander stream = SeedExpander.Fresh();
        return Draw(parameters, stream);
    }

    /// <summary>The key that a seed stands for, always the same: what is kept of a key may be its seed alone.</summary>
    /// <param name="parameters">What it is for.</param>
    /// <param name="seed">32 bytes from a cryptographic random number generator, as secret as the key and used for nothing else.</param>
    public static SecretKey FromSeed(RlweParameters parameters, ReadOnlySpan<byte> seed)
    {
        using var stream = new SeedExpander(seed, "cloister rlwe secret 1"u8);
        return Draw(parameters, stream);
    }

    private static SecretKey Draw(RlweParameters parameters, SeedExpander stream)
    {
        var secret = new RnsPolynomial(parameters.Ring.Basis);
        Samplers.Ternary(stream, secret);
        secret.ToValues();
        return new SecretKey(parameters, secret);
    }

    /// <summary>Zeroes the key.</summary>
    public void Dispose() => Values.Dispose();

    /// <summary>target += a * s, or target -= a * s, over the target's moduli, the first ones of the chain.</summary>
    internal void Apply<TOperation>(RnsPolynomial a, RnsPolynomial target)
        where TOperation : struct, IElementOperation => target.Run<TOperation>(a, Values);
}
