using System.Numerics;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Replaces X by X^g, g odd: of values it is a permutation, since the value of a(X^g) at psi^e is that of a at psi^(g e).
/// Which value goes where depends on g alone.
/// </summary>
public sealed unsafe class Automorphism
{
    private readonly ushort[] _sources;

    /// <summary>Prepares a permutation of values in <see cref="NttOrder.Internal"/> order.</summary>
    /// <param name="degree">n, a power of two from 1024 to 32768.</param>
    /// <param name="element">g, odd and below 2n.</param>
    public Automorphism(int degree, int element)
    {
        if (degree is < NegacyclicNtt.MinimumDegree or > NegacyclicNtt.MaximumDegree || !int.IsPow2(degree)) throw new ArgumentException($"The degree {degree} is no power of two from {NegacyclicNtt.MinimumDegree} to {NegacyclicNtt.MaximumDegree}.", nameof(degree));
        if (element < 1 || element >= 2 * degree || int.IsEvenInteger(element)) throw new ArgumentException($"The element {element} is not odd and below {2 * degree}.", nameof(element));
        (Degree, Element) = (degree, element);
        int log = BitOperations.Log2((uint)degree);
        _sources = new ushort[degree];
        for (int i = 0; i < degree; i++)
        {
            long exponent = element * (2L * NttTables.Reverse(i, log) + 1) & (2 * degree - 1);
            _sources[Place(i)] = (ushort)Place(NttTables.Reverse((int)(exponent - 1) / 2, log));
        }
    }

    /// <summary>n.</summary>
    public int Degree { get; }

    /// <summary>g.</summary>
    public int Element { get; }

    /// <summary>Writes a(X^g) for a.</summary>
    /// <param name="source">Values.</param>
    /// <param name="target">Receives values; not the source. It may have fewer moduli: the first ones count.</param>
    public void Apply(RnsPolynomial source, RnsPolynomial target)
    {
        if (source.Form != RnsForm.Values) throw new ArgumentException("The source holds coefficients: transform it first.", nameof(source));
        if (source.Basis.Degree != Degree || !target.Basis.IsStartOf(source.Basis) || ReferenceEquals(source, target)) throw new ArgumentException("The polynomials have other degrees or moduli, or are the same.", nameof(target));
        target.Form = RnsForm.Values;
        for (int limb = 0; limb < target.Basis.Count; limb++) Apply(source.Pointer + (nint)limb * Degree, target.Pointer + (nint)limb * Degree);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>Permutes one limb's values.</summary>
    internal void Apply(double* source, double* target)
    {
        fixed (ushort* sources = _sources) Permute(source, target, sources, Degree);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)]
    private static void Permute(double* source, double* target, ushort* sources, int n)
    {
        for (int i = 0; i < n; i += 4)
        {
            target[i] = source[sources[i]];
            target[i + 1] = source[sources[i + 1]];
            target[i + 2] = source[sources[i + 2]];
            target[i + 3] = source[sources[i + 3]];
        }
    }

    // Of a place in bit-reversed order, the place in the kernels' order: rows and columns of each 8 by 8 matrix change.
    private static int Place(int i) => i & ~63 | (i & 7) << 3 | i >> 3 & 7;
}
