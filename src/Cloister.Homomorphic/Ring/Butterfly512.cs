using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Homomorphic.Ring;

/// <summary>The steps of a transform on eight lanes.</summary>
internal static unsafe class Butterfly512
{
    /// <summary>(x, y) becomes (x + wy, x - wy).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Turn(ref Vector512<double> x, ref Vector512<double> y, Vector512<double> w, Vector512<double> minusP, Vector512<double> inverse, Vector512<double> magic)
    {
        Vector512<double> product = Multiply(y, w, minusP, inverse, magic);
        y = x - product;
        x += product;
    }

    /// <summary>(x, y) becomes (x + y, x - y).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Turn(ref Vector512<double> x, ref Vector512<double> y)
    {
        Vector512<double> difference = x - y;
        x += y;
        y = difference;
    }

    /// <summary>As <see cref="Modulus.MultiplyLazy"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<double> Multiply(Vector512<double> a, Vector512<double> w, Vector512<double> minusP, Vector512<double> inverse, Vector512<double> magic)
    {
        Vector512<double> h = a * w;
        Vector512<double> l = Avx512F.IsSupported ? Avx512F.FusedMultiplySubtract(a, w, h) : Vector512.FusedMultiplyAdd(a, w, -h);
        Vector512<double> q = Vector512.FusedMultiplyAdd(h, inverse, magic) - magic;
        return Vector512.FusedMultiplyAdd(q, minusP, h) + l;
    }

    /// <summary>As <see cref="Modulus.Reduce"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<double> Reduce(Vector512<double> x, Vector512<double> minusP, Vector512<double> inverse, Vector512<double> magic) =>
        Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(x, inverse, magic) - magic, minusP, x);

    /// <summary>A forward transform's levels with strides 4, 2 and 1 on 64 coefficients, which come out transposed and unreduced.</summary>
    /// <param name="r0">Eight coefficients in a row; so are the others.</param>
    /// <param name="r1">The next.</param>
    /// <param name="r2">The next.</param>
    /// <param name="r3">The next.</param>
    /// <param name="r4">The next.</param>
    /// <param name="r5">The next.</param>
    /// <param name="r6">The next.</param>
    /// <param name="r7">The last.</param>
    /// <param name="w">56 twiddles: one vector for stride 4, two for 2, four for 1.</param>
    /// <param name="minusP">-p.</param>
    /// <param name="inverse">1/p.</param>
    /// <param name="magic"><see cref="Modulus.Magic"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void TurnLast(ref Vector512<double> r0, ref Vector512<double> r1, ref Vector512<double> r2, ref Vector512<double> r3,
        ref Vector512<double> r4, ref Vector512<double> r5, ref Vector512<double> r6, ref Vector512<double> r7,
        double* w, Vector512<double> minusP, Vector512<double> inverse, Vector512<double> magic)
    {
        Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        Vector512<double> w1 = Vector512.Load(w);
        Turn(ref r0, ref r4, w1, minusP, inverse, magic);
        Turn(ref r1, ref r5, w1, minusP, inverse, magic);
        Turn(ref r2, ref r6, w1, minusP, inverse, magic);
        Turn(ref r3, ref r7, w1, minusP, inverse, magic);
        Vector512<double> w2 = Vector512.Load(w + 8), w3 = Vector512.Load(w + 16);
        Turn(ref r0, ref r2, w2, minusP, inverse, magic);
        Turn(ref r1, ref r3, w2, minusP, inverse, magic);
        Turn(ref r4, ref r6, w3, minusP, inverse, magic);
        Turn(ref r5, ref r7, w3, minusP, inverse, magic);
        Turn(ref r0, ref r1, Vector512.Load(w + 24), minusP, inverse, magic);
        Turn(ref r2, ref r3, Vector512.Load(w + 32), minusP, inverse, magic);
        Turn(ref r4, ref r5, Vector512.Load(w + 40), minusP, inverse, magic);
        Turn(ref r6, ref r7, Vector512.Load(w + 48), minusP, inverse, magic);
    }

    /// <summary>Eight rows of eight become eight columns: 24 shuffles in registers, or through memory where the processor has none of this width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose(ref Vector512<double> r0, ref Vector512<double> r1, ref Vector512<double> r2, ref Vector512<double> r3,
        ref Vector512<double> r4, ref Vector512<double> r5, ref Vector512<double> r6, ref Vector512<double> r7)
    {
        if (!Avx512F.IsSupported)
        {
            double* square = stackalloc double[64];
            r0.Store(square); r1.Store(square + 8); r2.Store(square + 16); r3.Store(square + 24);
            r4.Store(square + 32); r5.Store(square + 40); r6.Store(square + 48); r7.Store(square + 56);
            NttOrders.Transpose(square, 64);
            r0 = Vector512.Load(square); r1 = Vector512.Load(square + 8); r2 = Vector512.Load(square + 16); r3 = Vector512.Load(square + 24);
            r4 = Vector512.Load(square + 32); r5 = Vector512.Load(square + 40); r6 = Vector512.Load(square + 48); r7 = Vector512.Load(square + 56);
            return;
        }
        // Pairs of rows by element, then 128-bit quarters twice: t0 holds the even elements of rows 0 and 1, and so on.
        Vector512<double> t0 = Avx512F.UnpackLow(r0, r1), t1 = Avx512F.UnpackHigh(r0, r1), t2 = Avx512F.UnpackLow(r2, r3), t3 = Avx512F.UnpackHigh(r2, r3);
        Vector512<double> t4 = Avx512F.UnpackLow(r4, r5), t5 = Avx512F.UnpackHigh(r4, r5), t6 = Avx512F.UnpackLow(r6, r7), t7 = Avx512F.UnpackHigh(r6, r7);
        // 0x88 takes quarters 0 and 2 of each operand, 0xDD quarters 1 and 3.
        Vector512<double> u0 = Avx512F.Shuffle4x128(t0, t2, 0x88), u1 = Avx512F.Shuffle4x128(t1, t3, 0x88), u2 = Avx512F.Shuffle4x128(t0, t2, 0xDD), u3 = Avx512F.Shuffle4x128(t1, t3, 0xDD);
        Vector512<double> u4 = Avx512F.Shuffle4x128(t4, t6, 0x88), u5 = Avx512F.Shuffle4x128(t5, t7, 0x88), u6 = Avx512F.Shuffle4x128(t4, t6, 0xDD), u7 = Avx512F.Shuffle4x128(t5, t7, 0xDD);
        r0 = Avx512F.Shuffle4x128(u0, u4, 0x88);
        r1 = Avx512F.Shuffle4x128(u1, u5, 0x88);
        r2 = Avx512F.Shuffle4x128(u2, u6, 0x88);
        r3 = Avx512F.Shuffle4x128(u3, u7, 0x88);
        r4 = Avx512F.Shuffle4x128(u0, u4, 0xDD);
        r5 = Avx512F.Shuffle4x128(u1, u5, 0xDD);
        r6 = Avx512F.Shuffle4x128(u2, u6, 0xDD);
        r7 = Avx512F.Shuffle4x128(u3, u7, 0xDD);
    }
}
