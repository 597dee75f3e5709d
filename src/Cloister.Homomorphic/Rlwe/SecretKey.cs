using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>A secret polynomial with coefficients -1, 0, 1. Whoever holds it reads every ciphertext made under it; it never leaves its owner. Zeroed when disposed of.</summary>
public sealed class SecretKey : IDisposable
{
    private SecretKey(RlweParameters parameters, RnsPolynomial values) => (Parameters, Values) = (parameters, values);

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>Values over the whole chain.</summary>
    internal RnsPolynomial Values { get; }

    /// <summary>Draws a key from the system's random numbers.</summary>
    public static SecretKey Generate(RlweParameters parameters)
    {
        using SeedExpander stream = SeedExpander.Fresh();
        var secret = new RnsPolynomial(parameters.Ring.Basis);
        Samplers.Ternary(stream, secret);
        secret.ToValues();
        return new SecretKey(parameters, secret);
    }

    /// <summary>Zeroes the key.</summary>
    public void Dispose() => Values.Dispose();

    /// <summary>target += a * s, or target -= a * s, over the target's moduli, the first ones of the chain.</summary>
    internal void Apply<TOperation>(RnsPolynomial a, RnsPolynomial target)
        where TOperation : struct, IElementOperation
    {
        if (Values.Basis.Count == target.Basis.Count)
        {
            target.Run<TOperation>(a, Values);
            return;
        }
        using var secret = new RnsPolynomial(target.Basis);
        secret.CopyFrom(Values);
        target.Run<TOperation>(a, secret);
    }
}
