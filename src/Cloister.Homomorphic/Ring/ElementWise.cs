using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cloister.Homomorphic.Ring;

/// <summary>The two steps of <see cref="Modulus"/> on any number of lanes.</summary>
internal static class ModularLanes<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TVector MultiplyLazy(TVector a, TVector w, TVector minusP, TVector inverse, TVector magic)
    {
        TVector h = TLanes.Multiply(a, w);
        TVector l = TLanes.Fms(a, w, h);
        TVector q = TLanes.Subtract(TLanes.Fma(h, inverse, magic), magic);
        return TLanes.Add(TLanes.Fma(q, minusP, h), l);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TVector Reduce(TVector x, TVector minusP, TVector inverse, TVector magic) =>
        TLanes.Fma(TLanes.Subtract(TLanes.Fma(x, inverse, magic), magic), minusP, x);
}

/// <summary>One operation on balanced residues: what becomes of r, a and b. The result may exceed the balanced range, but stays below 2^52; the loop reduces it.</summary>
internal interface IElementOperation
{
    static abstract TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct;
}

/// <summary>a + b, at most p.</summary>
internal readonly struct Addition : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Add(a, b);
}

/// <summary>a - b, at most p.</summary>
internal readonly struct Subtraction : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Subtract(a, b);
}

/// <summary>-a.</summary>
internal readonly struct Negation : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Subtract(TLanes.Broadcast(0), a);
}

/// <summary>a, an integer below 2^52 in size, as the loop reduces it.</summary>
internal readonly struct Reduction : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => a;
}

/// <summary>a * b, at most 17/32 p.</summary>
internal readonly struct Multiplication : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => ModularLanes<TLanes, TVector>.MultiplyLazy(a, b, minusP, inverse, magic);
}

/// <summary>r + a * b, at most 33/32 p.</summary>
internal readonly struct Accumulation : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Add(r, ModularLanes<TLanes, TVector>.MultiplyLazy(a, b, minusP, inverse, magic));
}

/// <summary>r - a * b, at most 33/32 p.</summary>
internal readonly struct Deduction : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => TLanes.Subtract(r, ModularLanes<TLanes, TVector>.MultiplyLazy(a, b, minusP, inverse, magic));
}

/// <summary>(a - r) * b, at most 9/16 p: the last step of a division.</summary>
internal readonly struct DifferenceTimes : IElementOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Combine<TLanes, TVector>(TVector r, TVector a, TVector b, TVector minusP, TVector inverse, TVector magic)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct => ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Subtract(a, r), b, minusP, inverse, magic);
}

/// <summary>Runs an operation over n coefficients, a multiple of 8, at a width.</summary>
internal static unsafe class ElementWise
{
    /// <summary>r[i] = balanced op(r[i], a[i], b[i]).</summary>
    internal static void Run<TOperation>(double* r, double* a, double* b, int n, Modulus modulus, VectorWidth width)
        where TOperation : struct, IElementOperation
    {
        switch (width)
        {
            case VectorWidth.Wide512: Loop<TOperation, Lanes512, Vector512<double>>(r, a, b, 1, n, modulus); break;
            case VectorWidth.Wide256: Loop<TOperation, Lanes256, Vector256<double>>(r, a, b, 1, n, modulus); break;
            default: Loop<TOperation, ScalarLanes, double>(r, a, b, 1, n, modulus); break;
        }
    }

    /// <summary>r[i] = balanced op(r[i], a[i], constant); the constant is balanced.</summary>
    internal static void Run<TOperation>(double* r, double* a, double constant, int n, Modulus modulus, VectorWidth width)
        where TOperation : struct, IElementOperation
    {
        double* lanes = stackalloc double[8];
        new Span<double>(lanes, 8).Fill(constant);
        switch (width)
        {
            case VectorWidth.Wide512: Loop<TOperation, Lanes512, Vector512<double>>(r, a, lanes, 0, n, modulus); break;
            case VectorWidth.Wide256: Loop<TOperation, Lanes256, Vector256<double>>(r, a, lanes, 0, n, modulus); break;
            default: Loop<TOperation, ScalarLanes, double>(r, a, lanes, 0, n, modulus); break;
        }
    }

    // b advances by step times the lanes: not at all for a constant.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Loop<TOperation, TLanes, TVector>(double* r, double* a, double* b, int step, int n, Modulus modulus)
        where TOperation : struct, IElementOperation
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic);
        nint stride = step * TLanes.Count;
        for (double* end = r + n; r < end; r += TLanes.Count, a += TLanes.Count, b += stride)
        {
            TVector value = TOperation.Combine<TLanes, TVector>(TLanes.Load(r), TLanes.Load(a), TLanes.Load(b), minusP, inverse, magic);
            TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(value, minusP, inverse, magic), r);
        }
    }
}
