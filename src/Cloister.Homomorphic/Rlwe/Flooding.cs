using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// Hides in an answer the factors that ciphertexts were multiplied by, from the holder of the key too (circuit privacy): c1 is covered by a fresh
/// encryption of zero under the client's public key, the noise by a far larger one.
/// </summary>
/// <remarks>
/// <para>Mask adds (b u, a u) with u ternary and fresh, Flood adds an error e1 of the centred binomial distribution to c1. The client knows a and s, not u and
/// e1: a u + e1 is a sample of learning with errors over the ring, uniform to everybody but the server. That needs an a that nobody chose: it is expanded from a seed.</para>
/// <para>c0 + c1 s then holds, beside the message, the old noise and e u + e1 s, all of which depend on secrets of the server. To the coefficients that leave
/// Flood adds a number uniform in [-2^bits, 2^bits): what is left of a noise v is a statistical distance of |v| / 2^(bits + 1). The other coefficients
/// must not leave, or leave uniform (<see cref="HideOthers"/>). An error of c0's own would add nothing to this, so none is drawn.</para>
/// </remarks>
internal static unsafe class Flooding
{
    /// <summary>The most bits of flood: 2^80 is two words of 40 bits and a sign.</summary>
    internal const int MaximumBits = 79;

    private const int Half = 40;

    /// <summary>How large the noise is, at most, that <see cref="Mask"/> and <see cref="Flood"/> add to a carried coefficient: n products of at most 21 by a ternary number, twice, and the flood.</summary>
    internal static BigInteger NoiseBound(int degree, int bits) => 2 * degree * (BigInteger)Samplers.BinomialBits + (BigInteger.One << bits);

    /// <summary>Adds (b u, a u) for a fresh ternary u.</summary>
    /// <param name="key">The client's public key.</param>
    /// <param name="stream">The server's randomness.</param>
    /// <param name="c0">Values, over the first moduli of the key's.</param>
    /// <param name="c1">Values, over the same.</param>
    /// <param name="scratch">Over the same; overwritten.</param>
    internal static void Mask(PublicKey key, SeedExpander stream, RnsPolynomial c0, RnsPolynomial c1, RnsPolynomial scratch)
    {
        if (c0.Form != RnsForm.Values || c1.Form != RnsForm.Values) throw new ArgumentException("Only values multiply element by element: transform first.", nameof(c0));
        RnsBasis basis = c0.Basis;
        if (!basis.HasSameModuli(c1.Basis) || !basis.HasSameModuli(scratch.Basis) || key.B.Basis.Count < basis.Count || !basis.HasSameModuli(key.B.Basis.Slice(..basis.Count)))
            throw new ArgumentException("The polynomials and the key have different moduli.", nameof(key));
        Samplers.Ternary(stream, scratch);
        scratch.ToValues();
        for (int limb = 0; limb < basis.Count; limb++)
        {
            nint at = (nint)limb * basis.Degree;
            ElementWise.Run<Accumulation>(c0.Pointer + at, key.B.Pointer + at, scratch.Pointer + at, basis.Degree, basis.Moduli[limb], VectorWidths.Best);
            ElementWise.Run<Accumulation>(c1.Pointer + at, key.A.Pointer + at, scratch.Pointer + at, basis.Degree, basis.Moduli[limb], VectorWidths.Best);
        }
        GC.KeepAlive(key);
    }

    /// <summary>Adds an error to c1 and the flood to the carried coefficients of c0: first, first + step, ...</summary>
    /// <param name="stream">The server's randomness.</param>
    /// <param name="c0">Coefficients.</param>
    /// <param name="c1">Coefficients, over the same moduli.</param>
    /// <param name="bits">The flood is uniform in [-2^bits, 2^bits).</param>
    /// <param name="first">The place of the first carried coefficient.</param>
    /// <param name="step">From one carried coefficient to the next.</param>
    /// <param name="count">How many are carried.</param>
    /// <param name="scratch">Over the same moduli; overwritten.</param>
    internal static void Flood(SeedExpander stream, RnsPolynomial c0, RnsPolynomial c1, int bits, int first, int step, int count, RnsPolynomial scratch)
    {
        if (c0.Form != RnsForm.Coefficients || c1.Form != RnsForm.Coefficients) throw new ArgumentException("Noise is added to coefficients: transform back first.", nameof(c0));
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, Half);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MaximumBits);
        RequirePlaces(c0.Basis.Degree, first, step, count);
        Samplers.CenteredBinomial(stream, scratch);
        c1.Add(scratch);
        Span<ulong> words = stackalloc ulong[2];
        RnsBasis basis = c0.Basis;
        Span<double> radix = stackalloc double[basis.Count], offset = stackalloc double[basis.Count];
        for (int limb = 0; limb < basis.Count; limb++)
        {
            Modulus q = basis.Moduli[limb];
            radix[limb] = q.Balance(1UL << Half);
            offset[limb] = q.Balance((ulong)((BigInteger.One << bits) % q.Value));
        }
        for (int i = 0, place = first; i < count; i++, place += step)
        {
            stream.Fill(MemoryMarshal.AsBytes(words));
            double low = words[0] & (1UL << Half) - 1, high = words[1] & (1UL << (bits + 1 - Half)) - 1;
            for (int limb = 0; limb < basis.Count; limb++)
            {
                // high 2^40 + low - 2^bits: a product of at most p, a number below 2^40, two residues; all together below 2^52.
                Modulus q = basis.Moduli[limb];
                double sum = Modulus.MultiplyLazy(high, radix[limb], q.P, q.Inverse) + low - offset[limb] + c0.Limb(limb)[place];
                c0.Limb(limb)[place] = Modulus.Reduce(sum, q.P, q.Inverse);
            }
        }
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(words));
    }

    /// <summary>Makes every coefficient of c0 uniform but the carried ones.</summary>
    internal static void HideOthers(SeedExpander stream, RnsPolynomial c0, int first, int step, int count, RnsPolynomial scratch)
    {
        RequirePlaces(c0.Basis.Degree, first, step, count);
        Samplers.Uniform(stream, scratch);
        for (int limb = 0; limb < c0.Basis.Count; limb++)
        {
            Span<double> kept = c0.Limb(limb), other = scratch.Limb(limb);
            for (int i = 0, place = first; i < count; i++, place += step) other[place] = kept[place];
            other.CopyTo(kept);
        }
    }

    private static void RequirePlaces(int degree, int first, int step, int count)
    {
        if (first < 0 || step < 1 || count < 1 || first + (long)step * (count - 1) >= degree) throw new ArgumentException("The carried coefficients lie outside the polynomial.", nameof(first));
    }
}
