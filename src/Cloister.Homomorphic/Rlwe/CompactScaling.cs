using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Rlwe;

/// <summary>Rescales coefficients from a product Q of odd primes to a power of two, rounded to the nearest: round(2^bits x / Q) modulo 2^bits, exactly.</summary>
/// <remarks>
/// With r = [2^bits x]_Q balanced, 2^bits x - r is divisible by Q and the quotient is the rounded one (Q is odd: no ties). Modulo 2^bits that is -r / Q.
/// r = d_0 + q_0 (d_1 + q_1 ..) by balanced mixed-radix digits, as in <see cref="BaseConverter"/>; a digit d, |d| &lt; 2^48, becomes an integer modulo
/// 2^51 by adding 1.5 * 2^52, which leaves 2^51 + d in the low bits of the double. From there on integers wrap, and only their low bits count.
/// </remarks>
internal sealed unsafe class CompactScaling
{
    /// <summary>The least and the most bits a compact coefficient may have.</summary>
    internal const int MinimumBits = 8, MaximumBits = 48;

    private const int Block = 8;

    private readonly RnsBasis _from;
    private readonly Modulus[] _moduli;
    private readonly double[] _factors, _radices; // i: 2^bits mod q_i; i, j < i: q_j^-1 mod q_i
    private readonly ulong _minusInverse, _mask;  // -Q^-1 mod 2^64

    internal CompactScaling(RnsBasis from, int bits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, MinimumBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MaximumBits);
        (_from, Bits, _mask) = (from, bits, (1UL << bits) - 1);
        _moduli = [.. from.Moduli];
        int k = _moduli.Length;
        _factors = [.. from.Moduli.Select(q => q.Balance(1UL << bits))];
        _radices = new double[k * k];
        for (int i = 0; i < k; i++)
            for (int j = 0; j < i; j++) _radices[i * k + j] = from.Moduli[i].Balance(from.Moduli[i].Invert(from.Moduli[j].Value));
        _minusInverse = 0 - InvertOdd((ulong)(from.Product & ulong.MaxValue));
    }

    internal int Bits { get; }

    /// <summary>Rescales all coefficients.</summary>
    /// <param name="x">Coefficients over Q.</param>
    /// <param name="result">Receives n numbers below 2^bits.</param>
    /// <param name="width">How many at once.</param>
    internal void Scale(RnsPolynomial x, Span<ulong> result, VectorWidth width)
    {
        Require(x);
        if (result.Length != _from.Degree) throw new ArgumentException($"There is room for {result.Length} coefficients instead of {_from.Degree}.", nameof(result));
        fixed (ulong* target = result) ScaleBlocks(x.Pointer, _from.Degree, target, result.Length, width);
        GC.KeepAlive(x);
    }

    /// <summary>Rescales the coefficients first, first + step, ...</summary>
    internal void Scale(RnsPolynomial x, int first, int step, Span<ulong> result, VectorWidth width)
    {
        Require(x);
        if (first < 0 || step < 1 || result.IsEmpty || first + (long)step * (result.Length - 1) >= _from.Degree) throw new ArgumentException("The carried coefficients lie outside the polynomial.", nameof(first));
        double* gathered = stackalloc double[RnsBasis.MaximumModuli * Block];
        ulong* scaled = stackalloc ulong[Block];
        for (int at = 0; at < result.Length; at += Block)
        {
            int count = Math.Min(Block, result.Length - at);
            for (int limb = 0; limb < _from.Count; limb++)
            {
                double* source = x.Pointer + (nint)limb * _from.Degree + first + (nint)at * step;
                for (int lane = 0; lane < count; lane++) gathered[limb * Block + lane] = source[(nint)lane * step];
            }
            ScaleBlocks(gathered, Block, scaled, Block, width);
            new ReadOnlySpan<ulong>(scaled, count).CopyTo(result[at..]);
        }
        GC.KeepAlive(x);
    }

    private void Require(RnsPolynomial x)
    {
        if (!x.Basis.HasSameModuli(_from) || x.Form != RnsForm.Coefficients) throw new ArgumentException("x is not coefficients over Q.", nameof(x));
    }

    private void ScaleBlocks(double* source, nint limbStride, ulong* target, int count, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512: ScaleBlocks<Lanes512, Vector512<double>>(source, limbStride, target, count); break;
            case VectorWidth.Wide256: ScaleBlocks<Lanes256, Vector256<double>>(source, limbStride, target, count); break;
            default: ScaleBlocks<ScalarLanes, double>(source, limbStride, target, count); break;
        }
    }

    // Digits by Garner on lanes of doubles, then Horner on eight 64-bit integers that wrap.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void ScaleBlocks<TLanes, TVector>(double* source, nint limbStride, ulong* target, int count)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        if (_moduli.Length == 1)
        {
            ScaleSingle<TLanes, TVector>(source, target, count);
            return;
        }
        int k = _moduli.Length;
        double* digits = stackalloc double[k * Block], words = stackalloc double[k * Block];
        TVector magic = TLanes.Broadcast(Modulus.Magic);
        Vector512<ulong> mask = Vector512.Create(_mask);
        for (int at = 0; at < count; at += Block)
        {
            for (int i = 0; i < k; i++)
            {
                Modulus q = _moduli[i];
                TVector minusQ = TLanes.Broadcast(-q.P), inverse = TLanes.Broadcast(q.Inverse), factor = TLanes.Broadcast(_factors[i]);
                for (int lane = 0; lane < Block; lane += TLanes.Count)
                {
                    TVector digit = ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Load(source + i * limbStride + at + lane), factor, minusQ, inverse, magic);
                    for (int j = 0; j < i; j++)
                        digit = ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Subtract(digit, TLanes.Load(digits + j * Block + lane)), TLanes.Broadcast(_radices[i * k + j]), minusQ, inverse, magic);
                    digit = ModularLanes<TLanes, TVector>.Reduce(digit, minusQ, inverse, magic);
                    TLanes.Store(digit, digits + i * Block + lane);
                    TLanes.Store(TLanes.Add(digit, magic), words + i * Block + lane);
                }
            }
            Vector512<ulong> value = Vector512.Load((ulong*)words + (k - 1) * Block);
            for (int i = k - 2; i >= 0; i--) value = value * _moduli[i].Value + Vector512.Load((ulong*)words + i * Block);
            (value * _minusInverse & mask).Store(target + at);
        }
    }

    // The same for one modulus, whose digit is the number itself.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void ScaleSingle<TLanes, TVector>(double* source, ulong* target, int count)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        Modulus q = _moduli[0];
        TVector minusQ = TLanes.Broadcast(-q.P), inverse = TLanes.Broadcast(q.Inverse), factor = TLanes.Broadcast(_factors[0]), magic = TLanes.Broadcast(Modulus.Magic);
        for (int at = 0; at < count; at += TLanes.Count)
        {
            TVector digit = ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Load(source + at), factor, minusQ, inverse, magic);
            TLanes.Store(TLanes.Add(ModularLanes<TLanes, TVector>.Reduce(digit, minusQ, inverse, magic), magic), (double*)target + at);
        }
        Vector512<ulong> mask = Vector512.Create(_mask);
        for (int at = 0; at < count; at += Block) (Vector512.Load(target + at) * _minusInverse & mask).Store(target + at);
    }

    // Newton's iteration doubles the number of right low bits; an odd number is its own inverse modulo 8.
    private static ulong InvertOdd(ulong odd)
    {
        ulong inverse = odd;
        for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - odd * inverse;
        return inverse;
    }
}
