using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// The two loops of key switching over one modulus, each at the end of a transform: sums of products with keys that are reduced late, and the division by the
/// special modulus. On eight lanes they take the transform's values from its registers; otherwise they follow it. The operations, and so the bits, are the same.
/// </summary>
internal static unsafe class KeyProducts
{
    /// <summary>
    /// After how many products the sums are reduced. A product of a balanced value is at most 17/32 p, so they stay below 1/2 + 8 * 17/32 = 4.75p. Below 2^48 values come
    /// unreduced from the transform, at most 10.2p: a product is then at most 1/2 + 10.2/32 = 0.82p, and the sums stay below 7.1p, less than the 16p that are 2^52.
    /// </summary>
    internal const int Lazy = 8;

    /// <summary>sum += values * key for both parts of a key; or, of the first digit, sum = values * key. All are balanced; the j-th digit's sums may be reduced.</summary>
    internal static void Add(double* values, double* key0, double* key1, double* sum0, double* sum1, int n, Modulus modulus, int j, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512: Add<Lanes512, Vector512<double>>(values, key0, key1, sum0, sum1, n, modulus, j == 0, Reduces(j)); break;
            case VectorWidth.Wide256: Add<Lanes256, Vector256<double>>(values, key0, key1, sum0, sum1, n, modulus, j == 0, Reduces(j)); break;
            default: Add<ScalarLanes, double>(values, key0, key1, sum0, sum1, n, modulus, j == 0, Reduces(j)); break;
        }
    }

    /// <summary>The same with the values of integers below 2^52 in size, whose transform is computed on the way.</summary>
    internal static void AddTransformed(double* coefficients, double* scratch, NegacyclicNtt transform, double* key0, double* key1, double* sum0, double* sum1, int j, VectorWidth width)
    {
        if (width == VectorWidth.Wide512)
        {
            Ntt512.ForwardHead(coefficients, scratch, transform.Tables, lift: true);
            NttTail512.Run(scratch, transform.Tables, new KeySink(transform.Modulus, key0, key1, sum0, sum1, j == 0, Reduces(j)));
            return;
        }
        Lift(coefficients, scratch, transform, width);
        Add(scratch, key0, key1, sum0, sum1, transform.Degree, transform.Modulus, j, width);
    }

    /// <summary>target = addend + (sum - rest) * inverse, the addend being zero where it is null, balanced, with the values of integers below 2^52 in size as rest: |sum - rest| &lt;= 7.6p where p is below 2^48, else 5.25p, so the product is at most 0.83p and what is reduced at most 1.33p.</summary>
    internal static void Finish(double* coefficients, double* scratch, NegacyclicNtt transform, double* sum, double inverseOfSpecial, double* addend, double* target, VectorWidth width)
    {
        switch (width)
        {
            case VectorWidth.Wide512:
                Ntt512.ForwardHead(coefficients, scratch, transform.Tables, lift: true);
                NttTail512.Run(scratch, transform.Tables, new DivisionSink(transform.Modulus, sum, inverseOfSpecial, addend, target));
                break;
            case VectorWidth.Wide256:
                Lift(coefficients, scratch, transform, width);
                Finish<Lanes256, Vector256<double>>(sum, scratch, inverseOfSpecial, addend, target, transform.Degree, transform.Modulus);
                break;
            default:
                Lift(coefficients, scratch, transform, width);
                Finish<ScalarLanes, double>(sum, scratch, inverseOfSpecial, addend, target, transform.Degree, transform.Modulus);
                break;
        }
    }

    private static bool Reduces(int j) => j % Lazy == Lazy - 1;

    private static void Lift(double* coefficients, double* scratch, NegacyclicNtt transform, VectorWidth width)
    {
        ElementWise.Run<Reduction>(scratch, coefficients, 0, transform.Degree, transform.Modulus, width);
        transform.Forward(new Span<double>(scratch, transform.Degree), NttOrder.Internal, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add<TLanes, TVector>(double* values, double* key0, double* key1, double* sum0, double* sum1, int n, Modulus modulus, bool first, bool reduce)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic);
        for (int i = 0; i < n; i += TLanes.Count)
        {
            TVector value = TLanes.Load(values + i);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Finish<TLanes, TVector>(double* sum, double* rest, double inverseOfSpecial, double* addend, double* target, int n, Modulus modulus)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector minusP = TLanes.Broadcast(-modulus.P), inverse = TLanes.Broadcast(modulus.Inverse), magic = TLanes.Broadcast(Modulus.Magic), factor = TLanes.Broadcast(inverseOfSpecial);
        for (int i = 0; i < n; i += TLanes.Count)
        {
            TVector quotient = ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Subtract(TLanes.Load(sum + i), TLanes.Load(rest + i)), factor, minusP, inverse, magic);
            if (addend is not null) quotient = TLanes.Add(TLanes.Load(addend + i), quotient);
            TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(quotient, minusP, inverse, magic), target + i);
        }
    }

    private readonly struct KeySink(Modulus modulus, double* key0, double* key1, double* sum0, double* sum1, bool first, bool reduce) : INttSink
    {
        private readonly double* _key0 = key0, _key1 = key1, _sum0 = sum0, _sum1 = sum1;
        private readonly Vector512<double> _minusP = Vector512.Create(-modulus.P), _inverse = Vector512.Create(modulus.Inverse);
        private readonly bool _first = first, _reduce = reduce, _narrow = modulus.IsNarrow;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take(Vector512<double> values, nint at)
        {
            Vector512<double> magic = Vector512.Create(Modulus.Magic);
            if (!_narrow) values = Butterfly512.Reduce(values, _minusP, _inverse, magic);
            Vector512<double> product0 = Butterfly512.Multiply(values, Vector512.Load(_key0 + at), _minusP, _inverse, magic);
            Vector512<double> product1 = Butterfly512.Multiply(values, Vector512.Load(_key1 + at), _minusP, _inverse, magic);
            if (!_first)
            {
                product0 += Vector512.Load(_sum0 + at);
                product1 += Vector512.Load(_sum1 + at);
            }
            if (_reduce)
            {
                product0 = Butterfly512.Reduce(product0, _minusP, _inverse, magic);
                product1 = Butterfly512.Reduce(product1, _minusP, _inverse, magic);
            }
            product0.Store(_sum0 + at);
            product1.Store(_sum1 + at);
        }
    }

    private readonly struct DivisionSink(Modulus modulus, double* sum, double inverseOfSpecial, double* addend, double* target) : INttSink
    {
        private readonly double* _sum = sum, _addend = addend, _target = target;
        private readonly Vector512<double> _minusP = Vector512.Create(-modulus.P), _inverse = Vector512.Create(modulus.Inverse), _factor = Vector512.Create(inverseOfSpecial);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take(Vector512<double> values, nint at)
        {
            Vector512<double> magic = Vector512.Create(Modulus.Magic);
            values = Butterfly512.Reduce(values, _minusP, _inverse, magic);
            Vector512<double> quotient = Butterfly512.Multiply(Vector512.Load(_sum + at) - values, _factor, _minusP, _inverse, magic);
            if (_addend is not null) quotient += Vector512.Load(_addend + at);
            Butterfly512.Reduce(quotient, _minusP, _inverse, magic).Store(_target + at);
        }
    }
}
