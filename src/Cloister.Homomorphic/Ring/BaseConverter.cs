using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cloister.Homomorphic.Ring;

/// <summary>Which number a conversion takes residues for.</summary>
public enum BaseConversion
{
    /// <summary>x + a Q for some small integer a, |a| &lt;= (k + 1)/2 for k source moduli. The cheapest.</summary>
    Fast,

    /// <summary>The x in (-Q/2, Q/2), except that within 2^-43 Q of either end it may be x - Q or x + Q: the overflow is estimated in doubles.</summary>
    Corrected,

    /// <summary>The x in (-Q/2, Q/2), always: by balanced mixed-radix digits. Needs odd source moduli; k (k - 1)/2 more products a coefficient.</summary>
    Exact,
}

/// <summary>Rewrites coefficients from the residues of one basis (product Q) as those of another, eight at a time and without any branch on them.</summary>
public sealed unsafe class BaseConverter
{
    private readonly RnsBasis _from, _to;
    private readonly Prime[] _sources, _targets;
    private readonly double[] _punctured;    // i: (Q/q_i)^-1 mod q_i
    private readonly double[] _weights;      // j, i: Q/q_i mod p_j, and at i = k: -Q mod p_j
    private readonly double[] _radices;      // i, j < i: q_j^-1 mod q_i
    private readonly double[] _steps;        // j, i: q_i mod p_j

    /// <summary>Prepares a conversion.</summary>
    public BaseConverter(RnsBasis from, RnsBasis to)
    {
        if (from.Degree != to.Degree) throw new ArgumentException("The bases have different degrees.", nameof(to));
        (_from, _to) = (from, to);
        _sources = [.. from.Moduli.Select(q => new Prime(-q.P, q.Inverse))];
        _targets = [.. to.Moduli.Select(p => new Prime(-p.P, p.Inverse))];
        int k = from.Count, m = to.Count;
        (_punctured, _weights, _radices, _steps) = (new double[k], new double[m * (k + 1)], new double[k * k], new double[m * k]);
        for (int i = 0; i < k; i++)
        {
            Modulus q = from.Moduli[i];
            BigInteger others = from.Product / q.Value;
            _punctured[i] = q.Balance(q.Invert((ulong)(others % q.Value)));
            for (int j = 0; j < i; j++) _radices[i * k + j] = q.Balance(q.Invert(from.Moduli[j].Value));
            for (int j = 0; j < m; j++)
            {
                _weights[j * (k + 1) + i] = to.Moduli[j].Balance((ulong)(others % to.Moduli[j].Value));
                _steps[j * k + i] = to.Moduli[j].Balance(q.Value);
            }
        }
        for (int j = 0; j < m; j++) _weights[j * (k + 1) + k] = -to.Moduli[j].Balance((ulong)(from.Product % to.Moduli[j].Value));
    }

    /// <summary>Converts coefficients.</summary>
    /// <param name="source">Coefficients over the source basis.</param>
    /// <param name="target">Receives them over the target basis; not the source.</param>
    /// <param name="conversion">How exact.</param>
    public void Convert(RnsPolynomial source, RnsPolynomial target, BaseConversion conversion) => Convert(source, target, conversion, VectorWidths.Best);

    internal void Convert(RnsPolynomial source, RnsPolynomial target, BaseConversion conversion, VectorWidth width)
    {
        if (!source.Basis.HasSameModuli(_from) || source.Form != RnsForm.Coefficients) throw new ArgumentException("The source is not coefficients over the source basis.", nameof(source));
        if (!target.Basis.HasSameModuli(_to)) throw new ArgumentException("The target is not over the target basis.", nameof(target));
        target.Form = RnsForm.Coefficients;
        Convert(source.Pointer, target.Pointer, conversion, width);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    internal void Convert(double* source, double* target, BaseConversion conversion, VectorWidth width)
    {
        if (conversion == BaseConversion.Exact && _from.Moduli.Any(modulus => modulus.Value % 2 == 0)) throw new ArgumentException("Exact conversion needs odd source moduli.", nameof(conversion));
        switch (width)
        {
            case VectorWidth.Wide512: Run<Lanes512, Vector512<double>>(source, target, conversion); break;
            case VectorWidth.Wide256: Run<Lanes256, Vector256<double>>(source, target, conversion); break;
            default: Run<ScalarLanes, double>(source, target, conversion); break;
        }
    }

    private void Run<TLanes, TVector>(double* source, double* target, BaseConversion conversion)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        // One row of lanes for each source modulus, for the digits of the coefficients at hand.
        double* digits = stackalloc double[RnsBasis.MaximumModuli * 8];
        for (int at = 0; at < _from.Degree; at += TLanes.Count)
        {
            if (conversion == BaseConversion.Exact)
            {
                MixedRadix<TLanes, TVector>(source + at, digits);
                Evaluate<TLanes, TVector>(digits, target + at);
            }
            else
            {
                TVector overflow = Punctured<TLanes, TVector>(source + at, digits);
                Weigh<TLanes, TVector>(digits, conversion == BaseConversion.Corrected ? overflow : TLanes.Broadcast(0), target + at);
            }
        }
        new Span<double>(digits, RnsBasis.MaximumModuli * 8).Clear();
    }

    // y_i = x_i (Q/q_i)^-1 mod q_i, balanced, so that x + aQ = sum y_i Q/q_i; returns a, the sum of y_i/q_i rounded. Every partial sum is at most k/2
    // = 20, so each of the k additions errs by at most 20 * 2^-53 and each 1/q_i by 2^-54: below 2^-43 in all.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private TVector Punctured<TLanes, TVector>(double* source, double* digits)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector magic = TLanes.Broadcast(Modulus.Magic), sum = TLanes.Broadcast(0);
        for (int i = 0; i < _sources.Length; i++)
        {
            ref readonly Prime q = ref _sources[i];
            TVector minusQ = TLanes.Broadcast(q.Minus), inverse = TLanes.Broadcast(q.Inverse), x = TLanes.Load(source + (nint)i * _from.Degree);
            TVector y = ModularLanes<TLanes, TVector>.MultiplyLazy(x, TLanes.Broadcast(_punctured[i]), minusQ, inverse, magic);
            y = ModularLanes<TLanes, TVector>.Reduce(y, minusQ, inverse, magic);
            TLanes.Store(y, digits + i * 8);
            sum = TLanes.Fma(y, inverse, sum);
        }
        return TLanes.Subtract(TLanes.Add(sum, magic), magic);
    }

    // Each product is at most p/2 + 2^-52 |y| p/2 <= 17/32 p; after eight of them, and what was left before, at most 4.75p: time to reduce.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void Weigh<TLanes, TVector>(double* digits, TVector overflow, double* target)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        int k = _sources.Length;
        TVector magic = TLanes.Broadcast(Modulus.Magic);
        for (int j = 0; j < _targets.Length; j++)
        {
            ref readonly Prime p = ref _targets[j];
            TVector minusP = TLanes.Broadcast(p.Minus), inverse = TLanes.Broadcast(p.Inverse);
            TVector sum = ModularLanes<TLanes, TVector>.MultiplyLazy(overflow, TLanes.Broadcast(_weights[j * (k + 1) + k]), minusP, inverse, magic);
            for (int i = 0; i < k; i++)
            {
                sum = TLanes.Add(sum, ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Load(digits + i * 8), TLanes.Broadcast(_weights[j * (k + 1) + i]), minusP, inverse, magic));
                if (i % 8 == 7) sum = ModularLanes<TLanes, TVector>.Reduce(sum, minusP, inverse, magic);
            }
            TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(sum, minusP, inverse, magic), target + (nint)j * _from.Degree);
        }
    }

    // Garner: d_i = (..((x_i - d_0)/q_0 - d_1)/q_1 ..)/q_(i-1) mod q_i, balanced. With odd moduli the digits name every number of
    // [-(Q-1)/2, (Q-1)/2] once: x = d_0 + q_0 (d_1 + q_1 (d_2 + ..)). Every difference is below 2^49 + 2^48 < 2^52.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MixedRadix<TLanes, TVector>(double* source, double* digits)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        int k = _sources.Length;
        TVector magic = TLanes.Broadcast(Modulus.Magic);
        for (int i = 0; i < k; i++)
        {
            ref readonly Prime q = ref _sources[i];
            TVector minusQ = TLanes.Broadcast(q.Minus), inverse = TLanes.Broadcast(q.Inverse), digit = TLanes.Load(source + (nint)i * _from.Degree);
            for (int j = 0; j < i; j++)
                digit = ModularLanes<TLanes, TVector>.MultiplyLazy(TLanes.Subtract(digit, TLanes.Load(digits + j * 8)), TLanes.Broadcast(_radices[i * k + j]), minusQ, inverse, magic);
            TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(digit, minusQ, inverse, magic), digits + i * 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void Evaluate<TLanes, TVector>(double* digits, double* target)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        int k = _sources.Length;
        TVector magic = TLanes.Broadcast(Modulus.Magic);
        for (int j = 0; j < _targets.Length; j++)
        {
            ref readonly Prime p = ref _targets[j];
            TVector minusP = TLanes.Broadcast(p.Minus), inverse = TLanes.Broadcast(p.Inverse), value = TLanes.Load(digits + (k - 1) * 8);
            for (int i = k - 2; i >= 0; i--)
                value = TLanes.Add(ModularLanes<TLanes, TVector>.MultiplyLazy(value, TLanes.Broadcast(_steps[j * k + i]), minusP, inverse, magic), TLanes.Load(digits + i * 8));
            TLanes.Store(ModularLanes<TLanes, TVector>.Reduce(value, minusP, inverse, magic), target + (nint)j * _from.Degree);
        }
    }

    // What the loops need of a modulus, side by side.
    private readonly record struct Prime(double Minus, double Inverse);
}
