using System.Buffers;
using System.Numerics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// An answer as small as it can be: rescaled to a power of two, with the coefficients of c0 that carry results and no other. What the other
/// coefficients hold, which tells of the factors a ciphertext was multiplied by, never leaves the server.
/// </summary>
/// <remarks>
/// <para>Rounding noise. Let c0 + c1 s = Q m / t + v modulo Q, and B = 2^bits. Rescaled parts are c0' = B c0 / Q + e0 and c1' = B c1 / Q + e1 with every
/// coefficient of e0 and e1 at most 1/2 in size. So c0' + c1' s = B m / t + B v / Q + e0 + e1 s modulo B. A coefficient of e1 s is a sum of n
/// products of at most 1/2 by a ternary number: at most n / 2. All in all the phase is at most B |v| / Q + (n + 1) / 2 away from B m / t, always.</para>
/// <para>Decryption rounds t / B times the phase, so it is right wherever B |v| / Q + (n + 1) / 2 &lt; B / (2 t): <see cref="Carries"/>.</para>
/// </remarks>
public sealed class CompactCiphertext
{
    private ulong[]? _pooled;

    /// <summary>Takes over the coefficients.</summary>
    /// <param name="bits">Coefficients are modulo 2 to this power, 8 to 48.</param>
    /// <param name="first">The place of the first carried coefficient of c0.</param>
    /// <param name="step">From one carried coefficient to the next.</param>
    /// <param name="c0">The carried coefficients of c0.</param>
    /// <param name="c1">All coefficients of c1.</param>
    public CompactCiphertext(int bits, int first, int step, ulong[] c0, ulong[] c1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, CompactScaling.MinimumBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, CompactScaling.MaximumBits);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        if (c0.Length == 0 || first + (long)step * (c0.Length - 1) >= c1.Length) throw new ArgumentException("The carried coefficients lie outside the polynomial.", nameof(c0));
        if (c0.AsSpan().ContainsAnyExceptInRange(0UL, (1UL << bits) - 1) || c1.AsSpan().ContainsAnyExceptInRange(0UL, (1UL << bits) - 1))
            throw new ArgumentException($"A coefficient has more than {bits} bits.", nameof(c1));
        (Bits, First, Step, C0, C1) = (bits, first, step, c0, c1);
    }

    // What scaling made is in range. c1 is the pool's.
    private CompactCiphertext(CompactScaling scaling, int first, int step, ulong[] c0, ulong[] c1) => (Bits, First, Step, C0, C1, _pooled) = (scaling.Bits, first, step, c0, c1, c1);

    /// <summary>Coefficients are modulo 2 to this power.</summary>
    public int Bits { get; }

    /// <summary>The place of the first carried coefficient.</summary>
    public int First { get; }

    /// <summary>From one carried coefficient to the next.</summary>
    public int Step { get; }

    /// <summary>The carried coefficients of c0.</summary>
    public IReadOnlyList<ulong> CarriedC0 => C0;

    internal ulong[] C0 { get; }

    internal ulong[] C1 { get; private set; }

    /// <summary>Rescales a ciphertext and keeps the coefficients that carry something. Its noise must leave room: <see cref="Carries"/>.</summary>
    /// <param name="ciphertext">The ciphertext; unchanged.</param>
    /// <param name="bits">The size of the coefficients, 8 to 48.</param>
    /// <param name="first">The place of the first carried coefficient.</param>
    /// <param name="step">From one carried coefficient to the next.</param>
    /// <param name="count">How many are carried.</param>
    public static CompactCiphertext Of(Ciphertext ciphertext, int bits, int first, int step, int count)
    {
        ciphertext.RequireTwoParts();
        using var c0 = new RnsPolynomial(ciphertext.Basis);
        using var c1 = new RnsPolynomial(ciphertext.Basis);
        c0.CopyFrom(ciphertext.C0);
        c1.CopyFrom(ciphertext.C1);
        c0.ToCoefficients();
        c1.ToCoefficients();
        return Of(c0, c1, new CompactScaling(ciphertext.Basis, bits), first, step, count);
    }

    /// <summary>Whether decryption is certain: 2^bits noise / Q + (n + 1) / 2 &lt; 2^bits / (2 t).</summary>
    /// <param name="parameters">Degree and t.</param>
    /// <param name="modulus">Q, the product of the ciphertext's moduli.</param>
    /// <param name="bits">The size of the coefficients.</param>
    /// <param name="noise">What a coefficient of c0 + c1 s - Q m / t is at most, in size, before rescaling.</param>
    public static bool Carries(RlweParameters parameters, BigInteger modulus, int bits, BigInteger noise)
    {
        // Both sides times 2 t Q.
        BigInteger t = parameters.Plaintext.Value, b = BigInteger.One << bits;
        return t * (2 * b * noise + (parameters.Ring.Degree + 1) * modulus) < b * modulus;
    }

    /// <summary>Gives c1 back to the pool it came from, if it did; the ciphertext is empty from then on. Whole answers of fresh memory would cost more than computing them.</summary>
    internal void Release()
    {
        // Whoever comes first returns it: an array that is returned twice would be two answers' at once.
        if (Interlocked.Exchange(ref _pooled, null) is not { } whole) return;
        C1 = [];
        ArrayPool<ulong>.Shared.Return(whole);
    }

    /// <summary>Of coefficients, with what was prepared once.</summary>
    internal static CompactCiphertext Of(RnsPolynomial c0, RnsPolynomial c1, CompactScaling scaling, int first, int step, int count) =>
        Of(Carry(c0, scaling, first, step, count), c1, scaling, first, step);

    /// <summary>What is carried of c0.</summary>
    internal static ulong[] Carry(RnsPolynomial c0, CompactScaling scaling, int first, int step, int count)
    {
        ulong[] carried = GC.AllocateUninitializedArray<ulong>(count);
        scaling.Scale(c0, first, step, carried, VectorWidths.Best);
        return carried;
    }

    /// <summary>Of what is carried, and c1.</summary>
    internal static CompactCiphertext Of(ulong[] carried, RnsPolynomial c1, CompactScaling scaling, int first, int step)
    {
        ulong[] whole = ArrayPool<ulong>.Shared.Rent(c1.Basis.Degree); // a power of two: as long as asked for
        scaling.Scale(c1, whole, VectorWidths.Best);
        return new CompactCiphertext(scaling, first, step, carried, whole);
    }
}
