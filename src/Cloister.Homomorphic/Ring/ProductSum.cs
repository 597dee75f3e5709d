using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cloister.Homomorphic.Ring;

/// <summary>Sums of many products, element by element, reduced once at the end: a product leaves <see cref="Modulus.MultiplyLazy"/> with at most 17/32 p, and sums stay exact below 2^52.</summary>
internal static unsafe class ProductSum
{
    /// <summary>How many products a sum may have before it is reduced: products times 17/32 p, and the half of p that a reduced sum begins with, stay below 2^52.</summary>
    internal static int Most(Modulus modulus) => (int)Math.Floor((4503599627370496.0 - modulus.P) / (modulus.P * 17 / 32));

    /// <summary>r0 += a b0 and r1 += a b1, not reduced. The factors are balanced.</summary>
    internal static void Add(double* r0, double* r1, double* a, double* b0, double* b1, int n, Modulus modulus, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512: Add<Lanes512, Vector512<double>>(r0, r1, a, b0, b1, n, modulus); break;
            case VectorWidth.Wide256: Add<Lanes256, Vector256<double>>(r0, r1, a, b0, b1, n, modulus); break;
            default: Add<ScalarLanes, double>(r0, r1, a, b0, b1, n, modulus); break;
        }
    }

    /// <summary>Balances sums.</summary>
    internal static void Reduce(double* r, int n, Modulus modulus, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512: Reduce<Lanes512, Vector512<double>>(r, n, modulus); break;
            case VectorWidth.Wide256: Reduce<Lanes256, Vector256<double>>(r, n, modulus); break;
            default: Reduce<ScalarLanes, double>(r, n, modulus); break;
        }
    }

    // n is a multiple of 8: no tail.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add<TLanes, TVector>(double* r0, double* r1, double* a, double* b0, double* b1, int n, Modulus modulus)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic);
        for (int i = 0; i < n; i += TLanes.Count)
        {
            TVector factor = TLanes.Load(a + i);
            TLanes.Store(TLanes.Add(TLanes.Load(r0 + i), ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Load(b0 + i), factor, minusP, inverse, magic)), r0 + i);
            TLanes.Store(TLanes.Add(TLanes.Load(r1 + i), ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Load(b1 + i), factor, minusP, inverse, magic)), r1 + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Reduce<TLanes, TVector>(double* r, int n, Modulus modulus)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic);
        for (int i = 0; i < n; i += TLanes.Count) TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(TLanes.Load(r + i), minusP, inverse, magic), r + i);
    }
}
