namespace Cloister.Homomorphic.Rlwe;

/// <summary>
/// An answer as small as it can be: rescaled to a power of two, with the coefficients of c0 that carry results and no other. What the other
/// coefficients hold, which tells of the factors a ciphertext was multiplied by, never leaves the server.
/// </summary>
public sealed class CompactCiphertext
{
    /// <summary>Takes over the coefficients.</summary>
    /// <param name="bits">Coefficients are modulo 2 to this power, 8 to 49.</param>
    /// <param name="first">The place of the first carried coefficient of c0.</param>
    /// <param name="step">From one carried coefficient to the next.</param>
    /// <param name="c0">The carried coefficients of c0.</param>
    /// <param name="c1">All coefficients of c1.</param>
    public CompactCiphertext(int bits, int first, int step, ulong[] c0, ulong[] c1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, 8);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, 49);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        if (c0.Length == 0 || first + (long)step * (c0.Length - 1) >= c1.Length) throw new ArgumentException("The carried coefficients lie outside the polynomial.", nameof(c0));
        if (c0.AsSpan().ContainsAnyExceptInRange(0UL, (1UL << bits) - 1) || c1.AsSpan().ContainsAnyExceptInRange(0UL, (1UL << bits) - 1))
            throw new ArgumentException($"A coefficient has more than {bits} bits.", nameof(c1));
        (Bits, First, Step, C0, C1) = (bits, first, step, c0, c1);
    }

    /// <summary>Coefficients are modulo 2 to this power.</summary>
    public int Bits { get; }

    /// <summary>The place of the first carried coefficient.</summary>
    public int First { get; }

    /// <summary>From one carried coefficient to the next.</summary>
    public int Step { get; }

    /// <summary>The carried coefficients of c0.</summary>
    public IReadOnlyList<ulong> CarriedC0 => C0;

    internal ulong[] C0 { get; }

    internal ulong[] C1 { get; }
}
