using System.Numerics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Schemes;

/// <summary>
/// What a product of ciphertexts over Q needs: integers of the size of Q^2 n, held over Q and an extension P, and scaled back by t / Q.
/// </summary>
/// <remarks>
/// <para><b>Extending</b> reads a coefficient as an integer x of (-Q/2, Q/2); within 2^-43 Q of an end it may become x - Q or x + Q, which is the same modulo Q. So |x| &lt;= (1/2 + 2^-43) Q.</para>
/// <para><b>The tensor</b>'s coefficients are sums of at most 2n products: |d| &lt;= 2n (1/2 + 2^-43)^2 Q^2 &lt; 0.51 n Q^2. They need not fit into Q P: their residues are all that is used.</para>
/// <para><b>Scaling</b> gives y = round(t d / Q) over P exactly, from [t d]_Q and d modulo P (see <see cref="RnsScaling"/>), and |y| &lt;= 0.51 t n Q + 1/2.
/// P is chosen to be at least 4 t n Q, so |y| &lt; 0.13 P: far from the ends of (-P/2, P/2), where the conversion from P to Q, corrected by an estimate in doubles, is exact.</para>
/// </remarks>
internal sealed class TensorScaling
{
    private readonly RnsBasis _basis;
    private readonly BaseConverter _up, _down;
    private readonly RnsScaling _scaling;

    internal TensorScaling(RnsBasis basis, ulong t)
    {
        _basis = basis;
        BigInteger least = 4 * basis.Product * t * basis.Degree;
        int most = (int)(least.GetBitLength() / (NttPrimes.MaximumBits - 1)) + 1;
        // Some of the largest primes may be the basis's own.
        var primes = new List<Modulus>();
        BigInteger product = 1;
        foreach (ulong prime in NttPrimes.Generate(NttPrimes.MaximumBits, 2 * (ulong)basis.Degree, most + basis.Count))
        {
            if (product >= least || basis.Moduli.Any(modulus => modulus.Value == prime)) continue;
            primes.Add(new Modulus(prime));
            product *= prime;
        }
        Extension = new RnsBasis(basis.Degree, [.. primes]);
        _up = new BaseConverter(basis, Extension);
        _down = new BaseConverter(Extension, basis);
        _scaling = new RnsScaling(basis, Extension, t);
    }

    /// <summary>P.</summary>
    internal RnsBasis Extension { get; }

    /// <summary>The values over P of a polynomial's values over Q.</summary>
    internal RnsPolynomial Extend(RnsPolynomial values)
    {
        using RnsPolynomial coefficients = RnsPolynomial.Public(_basis);
        coefficients.CoefficientsOf(values);
        RnsPolynomial extended = RnsPolynomial.Public(Extension);
        _up.Convert(coefficients, extended, BaseConversion.Corrected);
        extended.ToValues();
        return extended;
    }

    /// <summary>The values over Q and over P of a product.</summary>
    internal (RnsPolynomial Product, RnsPolynomial Extended) Product(RnsPolynomial a, RnsPolynomial b, RnsPolynomial extendedA, RnsPolynomial extendedB)
    {
        (RnsPolynomial product, RnsPolynomial extended) = (RnsPolynomial.Public(_basis), RnsPolynomial.Public(Extension));
        product.SetProduct(a, b);
        extended.SetProduct(extendedA, extendedB);
        return (product, extended);
    }

    /// <summary>Writes round(t d / Q) as values over Q.</summary>
    /// <param name="d">Values over Q; it is overwritten.</param>
    /// <param name="extension">The values of d over P; they are overwritten.</param>
    /// <param name="result">Receives the values.</param>
    internal void Scale(RnsPolynomial d, RnsPolynomial extension, RnsPolynomial result)
    {
        d.ToCoefficients();
        extension.ToCoefficients();
        using RnsPolynomial scaled = RnsPolynomial.Public(Extension);
        _scaling.Scale(d, extension, scaled);
        _down.Convert(scaled, result, BaseConversion.Corrected);
        result.ToValues();
    }
}
