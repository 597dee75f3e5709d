using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cloister.Homomorphic.Ring;

/// <summary>The two loops of key switching over one modulus: sums of products that are reduced late, and the division by the special modulus that ends them.</summary>
internal static unsafe class KeyProducts
{
    /// <summary>After how many products the sums are reduced. A product is at most 17/32 p, so they stay below 1/2 + 8 * 17/32 = 4.75p.</summary>
    internal const int Lazy = 8;

    /// <summary>sum0 += digit * key0 and sum1 += digit * key1; or, of the first digit, sum = product. Digit and keys are balanced.</summary>
    internal static void Add(double* digit, double* key0, double* key1, double* sum0, double* sum1, int n, Modulus modulus, bool first, bool reduce, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512: Add<Lanes512, Vector512<double>>(digit, key0, key1, sum0, sum1, n, modulus, first, reduce); break;
            case VectorWidth.Wide256: Add<Lanes256, Vector256<double>>(digit, key0, key1, sum0, sum1, n, modulus, first, reduce); break;
            default: Add<ScalarLanes, double>(digit, key0, key1, sum0, sum1, n, modulus, first, reduce); break;
        }
    }

    /// <summary>target += (sum - rest) * inverse, balanced: |sum - rest| &lt;= 5.25p, so the product is at most 0.83p and what is reduced at most 1.33p.</summary>
    internal static void Finish(double* sum, double* rest, double inverseOfSpecial, double* target, int n, Modulus modulus, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512: Finish<Lanes512, Vector512<double>>(sum, rest, inverseOfSpecial, target, n, modulus); break;
            case VectorWidth.Wide256: Finish<Lanes256, Vector256<double>>(sum, rest, inverseOfSpecial, target, n, modulus); break;
            default: Finish<ScalarLanes, double>(sum, rest, inverseOfSpecial, target, n, modulus); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add<TLanes, TVector>(double* digit, double* key0, double* key1, double* sum0, double* sum1, int n, Modulus modulus, bool first, bool reduce)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic);
        for (int i = 0; i < n; i += TLanes.Count)
        {
            TVector value = TLanes.Load(digit + i);
            TVector product0 = ModularLanes<TLanes, TVector>.MultiplyLazy(value, TLanes.Load(key0 + i), minusP, inverse, magic);
            TVector product1 = ModularLanes<TLanes, TVector>.MultiplyLazy(value, TLanes.Load(key1 + i), minusP, inverse, magic);
            if (!first)
            {
                product0 = TLanes.Add(product0, TLanes.Load(sum0 + i));
                product1 = TLanes.Add(product1, TLanes.Load(sum1 + i));
            }
            if (reduce)
            {
                product0 = ModularLanes<TLanes, TVector>.Reduce(product0, minusP, inverse, magic);
                product1 = ModularLanes<TLanes, TVector>.Reduce(product1, minusP, inverse, magic);
            }
            TLanes.Store(product0, sum0 + i);
            TLanes.Store(product1, sum1 + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish<TLanes, TVector>(double* sum, double* rest, double inverseOfSpecial, double* target, int n, Modulus modulus)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic), factor = TLanes.Broadcast(inverseOfSpecial);
        for (int i = 0; i < n; i += TLanes.Count)
        {
            TVector quotient = ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Subtract(TLanes.Load(sum + i), TLanes.Load(rest + i)), factor, minusP, inverse, magic);
            TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(TLanes.Add(TLanes.Load(target + i), quotient), minusP, inverse, magic), target + i);
        }
    }
}
