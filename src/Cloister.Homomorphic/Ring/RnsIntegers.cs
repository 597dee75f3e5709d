using System.Numerics;

namespace Cloister.Homomorphic.Ring;

/// <summary>Coefficients as big integers, for inspection and tests: slow, and not constant-time.</summary>
public static class RnsIntegers
{
    /// <summary>The coefficients in (-Q/2, Q/2), by the Chinese remainder theorem.</summary>
    public static BigInteger[] Compose(RnsPolynomial polynomial)
    {
        if (polynomial.Form != RnsForm.Coefficients) throw new ArgumentException("The polynomial holds values: transform it back first.", nameof(polynomial));
        RnsBasis basis = polynomial.Basis;
        var sums = new BigInteger[basis.Degree];
        for (int limb = 0; limb < basis.Count; limb++)
        {
            Modulus modulus = basis.Moduli[limb];
            BigInteger others = basis.Product / modulus.Value, weight = others * modulus.Invert((ulong)(others % modulus.Value));
            ReadOnlySpan<double> residues = polynomial.Limb(limb);
            for (int i = 0; i < sums.Length; i++) sums[i] += weight * (long)residues[i];
        }
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] %= basis.Product;
            if (2 * sums[i] > basis.Product) sums[i] -= basis.Product;
            if (2 * sums[i] < -basis.Product) sums[i] += basis.Product;
        }
        return sums;
    }

    /// <summary>Writes integers of any size as coefficients.</summary>
    public static void Decompose(ReadOnlySpan<BigInteger> coefficients, RnsPolynomial polynomial)
    {
        if (coefficients.Length != polynomial.Basis.Degree) throw new ArgumentException($"There are {coefficients.Length} coefficients instead of {polynomial.Basis.Degree}.", nameof(coefficients));
        polynomial.Form = RnsForm.Coefficients;
        for (int limb = 0; limb < polynomial.Basis.Count; limb++)
        {
            Modulus modulus = polynomial.Basis.Moduli[limb];
            Span<double> residues = polynomial.Limb(limb);
            for (int i = 0; i < residues.Length; i++)
            {
                BigInteger residue = coefficients[i] % modulus.Value;
                residues[i] = modulus.Balance((ulong)(residue.Sign < 0 ? residue + modulus.Value : residue));
            }
        }
    }
}
