using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Homomorphic.Ring;

/// <summary>The steps of a transform on four lanes.</summary>
internal static unsafe class Butterfly256
{
    /// <summary>(x, y) becomes (x + wy, x - wy).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Turn(ref Vector256<double> x, ref Vector256<double> y, Vector256<double> w, Vector256<double> minusP, Vector256<double> inverse, Vector256<double> magic)
    {
        Vector256<double> product = Multiply(y, w, minusP, inverse, magic);
        y = x - product;
        x += product;
    }

    /// <summary>(x, y) becomes (x + y, x - y).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Turn(ref Vector256<double> x, ref Vector256<double> y)
    {
        Vector256<double> difference = x - y;
        x += y;
        y = difference;
    }

    /// <summary>As <see cref="Modulus.MultiplyLazy"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<double> Multiply(Vector256<double> a, Vector256<double> w, Vector256<double> minusP, Vector256<double> inverse, Vector256<double> magic)
    {
        Vector256<double> h = a * w;
        Vector256<double> l = Fma.IsSupported ? Fma.MultiplySubtract(a, w, h) : Vector256.FusedMultiplyAdd(a, w, -h);
        Vector256<double> q = Vector256.FusedMultiplyAdd(h, inverse, magic) - magic;
        return Vector256.FusedMultiplyAdd(q, minusP, h) + l;
    }

    /// <summary>As <see cref="Modulus.Reduce"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<double> Reduce(Vector256<double> x, Vector256<double> minusP, Vector256<double> inverse, Vector256<double> magic) =>
        Vector256.FusedMultiplyAdd(Vector256.FusedMultiplyAdd(x, inverse, magic) - magic, minusP, x);

    /// <summary>Four rows of four become four columns: eight shuffles in registers, or through memory where the processor has none of this width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose(ref Vector256<double> r0, ref Vector256<double> r1, ref Vector256<double> r2, ref Vector256<double> r3)
    {
        if (!Avx.IsSupported)
        {
            (Vector256<double> s0, Vector256<double> s1, Vector256<double> s2, Vector256<double> s3) = (r0, r1, r2, r3);
            r0 = Vector256.Create(s0[0], s1[0], s2[0], s3[0]);
            r1 = Vector256.Create(s0[1], s1[1], s2[1], s3[1]);
            r2 = Vector256.Create(s0[2], s1[2], s2[2], s3[2]);
            r3 = Vector256.Create(s0[3], s1[3], s2[3], s3[3]);
            return;
        }
        Vector256<double> t0 = Avx.UnpackLow(r0, r1), t1 = Avx.UnpackHigh(r0, r1), t2 = Avx.UnpackLow(r2, r3), t3 = Avx.UnpackHigh(r2, r3);
        r0 = Avx.Permute2x128(t0, t2, 0x20); // the lower halves of both
        r1 = Avx.Permute2x128(t1, t3, 0x20);
        r2 = Avx.Permute2x128(t0, t2, 0x31); // the upper halves
        r3 = Avx.Permute2x128(t1, t3, 0x31);
    }
}
