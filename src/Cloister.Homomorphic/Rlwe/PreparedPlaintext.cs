using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>A polynomial in the clear as ciphertexts are multiplied by it: transformed once. Zeroed when disposed of, for it may be a model's secret.</summary>
public sealed class PreparedPlaintext : IDisposable
{
    private PreparedPlaintext(RlweParameters parameters, RnsPolynomial values) => (Parameters, Values) = (parameters, values);

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    internal RnsPolynomial Values { get; }

    /// <summary>Prepares a factor.</summary>
    /// <param name="parameters">Those of the ciphertexts.</param>
    /// <param name="factor">n coefficients below t.</param>
    /// <exception cref="HomomorphicException">The factor is zero: products would be readable without the key.</exception>
    public static PreparedPlaintext Of(RlweParameters parameters, ReadOnlySpan<ulong> factor) => Of(parameters, factor, parameters.Basis.Count);

    /// <summary>Prepares a factor for ciphertexts of at most some moduli.</summary>
    /// <param name="parameters">Those of the ciphertexts.</param>
    /// <param name="factor">n coefficients below t.</param>
    /// <param name="moduli">How many moduli the ciphertexts have at most.</param>
    /// <exception cref="HomomorphicException">The factor is zero: products would be readable without the key.</exception>
    public static PreparedPlaintext Of(RlweParameters parameters, ReadOnlySpan<ulong> factor, int moduli)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(moduli, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(moduli, parameters.Basis.Count);
        if (!factor.ContainsAnyExcept(0UL)) throw new HomomorphicException(HomomorphicError.Transparent, "A ciphertext times zero is zero in the open. Leave the term out, or encrypt a zero.");
        using var small = new RnsPolynomial(parameters.PlaintextBasis);
        parameters.Center(factor, small.Limb(0));
        var lifted = new RnsPolynomial(parameters.Basis.First(moduli));
        lifted.SetReduced(small);
        lifted.ToValues();
        return new PreparedPlaintext(parameters, lifted);
    }

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose() => Values.Dispose();
}
