using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Schemes;

/// <summary>
/// Multiplies ciphertexts (BFV): the product holds the product of the messages modulo X^n + 1 and t, slot by slot where they were encoded as slots.
/// It has three parts until it is relinearised. What it prepares for each number of moduli is kept; safe for concurrent use.
/// </summary>
public sealed class CiphertextMultiplier
{
    private readonly Lazy<TensorScaling>[] _levels; // by the number of moduli, less one

    /// <summary>Makes a multiplier.</summary>
    /// <param name="parameters">Those of the ciphertexts.</param>
    public CiphertextMultiplier(RlweParameters parameters)
    {
        Parameters = parameters;
        _levels = [.. Enumerable.Range(1, parameters.Basis.Count).Select(count => new Lazy<TensorScaling>(() => new TensorScaling(parameters.Basis.First(count), parameters.Plaintext.Value)))];
    }

    /// <summary>What it is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>The product of two ciphertexts under the same key. The noise grows to about t n (noise of x + noise of y) times the square root of n; at most by t n (n + 4) / 2 times their sum.</summary>
    /// <exception cref="HomomorphicException">The ciphertexts have other parameters, different moduli, or three parts.</exception>
    public Ciphertext Multiply(Ciphertext x, Ciphertext y)
    {
        Require(x);
        Require(y);
        x.RequireLike(y);
        TensorScaling level = _levels[x.Basis.Count - 1].Value;
        using RnsPolynomial x0 = level.Extend(x.C0), x1 = level.Extend(x.C1), y0 = level.Extend(y.C0), y1 = level.Extend(y.C1);
        var product = new Ciphertext(Parameters, x.Basis, size: 3);
        Pair(level, x.C0, y.C0, x0, y0, product.C0);
        Pair(level, x.C1, y.C1, x1, y1, product.C2!);
        (RnsPolynomial middle, RnsPolynomial extended) = level.Product(x.C0, y.C1, x0, y1);
        using (middle)
        using (extended)
        {
            middle.AddProduct(x.C1, y.C0);
            extended.AddProduct(x1, y0);
            level.Scale(middle, extended, product.C1);
        }
        return product;
    }

    /// <summary>The product of a ciphertext with itself, for less.</summary>
    /// <exception cref="HomomorphicException">The ciphertext has other parameters, or three parts.</exception>
    public Ciphertext Square(Ciphertext x)
    {
        Require(x);
        TensorScaling level = _levels[x.Basis.Count - 1].Value;
        using RnsPolynomial x0 = level.Extend(x.C0), x1 = level.Extend(x.C1);
        var product = new Ciphertext(Parameters, x.Basis, size: 3);
        Pair(level, x.C0, x.C0, x0, x0, product.C0);
        Pair(level, x.C1, x.C1, x1, x1, product.C2!);
        (RnsPolynomial middle, RnsPolynomial extended) = level.Product(x.C0, x.C1, x0, x1);
        using (middle)
        using (extended)
        {
            middle.Add(middle);
            extended.Add(extended);
            level.Scale(middle, extended, product.C1);
        }
        return product;
    }

    private static void Pair(TensorScaling level, RnsPolynomial a, RnsPolynomial b, RnsPolynomial extendedA, RnsPolynomial extendedB, RnsPolynomial result)
    {
        (RnsPolynomial product, RnsPolynomial extended) = level.Product(a, b, extendedA, extendedB);
        using (product)
        using (extended) level.Scale(product, extended, result);
    }

    private void Require(Ciphertext ciphertext)
    {
        if (!ReferenceEquals(ciphertext.Parameters, Parameters)) throw new HomomorphicException(HomomorphicError.OtherParameters, "The ciphertext was made with other parameters than the multiplier.");
        ciphertext.RequireTwoParts();
    }
}
