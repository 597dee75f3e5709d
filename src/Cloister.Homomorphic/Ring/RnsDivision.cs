namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Divides by the product P of a basis's last moduli and rounds to the nearest integer: (x - [x]_P) / P, exactly. Since residues are balanced and
/// P is odd, [x]_P is the nearest multiple's remainder and no tie exists.
/// </summary>
public sealed unsafe class RnsDivision
{
    private readonly RnsBasis _from, _dropped;
    private readonly BaseConverter _converter;
    private readonly double[] _inverses; // i: P^-1 mod q_i

    /// <summary>Prepares the division of polynomials over a basis of odd primes by its last moduli.</summary>
    /// <param name="basis">The basis of what is divided.</param>
    /// <param name="dropped">How many moduli are divided by; at least one remains.</param>
    public RnsDivision(RnsBasis basis, int dropped = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dropped, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(dropped, basis.Count);
        _from = basis;
        _dropped = basis.Slice(^dropped..);
        Remaining = basis.First(basis.Count - dropped);
        _converter = new BaseConverter(_dropped, Remaining);
        _inverses = [.. Remaining.Moduli.Select(q => q.Balance(q.Invert((ulong)(_dropped.Product % q.Value))))];
    }

    /// <summary>The basis of the quotient.</summary>
    public RnsBasis Remaining { get; }

    /// <summary>Divides coefficients or values; the quotient is of the same form.</summary>
    /// <param name="source">Over the whole basis; unchanged.</param>
    /// <param name="quotient">Over the remaining basis.</param>
    public void Divide(RnsPolynomial source, RnsPolynomial quotient) => Divide(source, quotient, VectorWidths.Best);

    internal void Divide(RnsPolynomial source, RnsPolynomial quotient, VectorWidth width)
    {
        if (!source.Basis.HasSameModuli(_from)) throw new ArgumentException("The source is not over the whole basis.", nameof(source));
        if (!quotient.Basis.HasSameModuli(Remaining)) throw new ArgumentException("The quotient is not over the remaining basis.", nameof(quotient));
        if (source.Form == RnsForm.Values && _dropped.Count == 1)
        {
            DivideValues(source, quotient, width);
            return;
        }
        int n = _from.Degree;
        double* last = source.Pointer + (nint)Remaining.Count * n;
        if (source.Form == RnsForm.Coefficients)
        {
            _converter.Convert(last, quotient.Pointer, BaseConversion.Exact, width);
        }
        else
        {
            using var remainder = new RnsPolynomial(_dropped, RnsForm.Values);
            new ReadOnlySpan<double>(last, n * _dropped.Count).CopyTo(new Span<double>(remainder.Pointer, n * _dropped.Count));
            remainder.ToCoefficients();
            _converter.Convert(remainder.Pointer, quotient.Pointer, BaseConversion.Exact, width);
            quotient.Form = RnsForm.Coefficients;
            quotient.ToValues();
        }
        quotient.Form = source.Form;
        for (int limb = 0; limb < Remaining.Count; limb++)
            ElementWise.Run<DifferenceTimes>(quotient.Pointer + (nint)limb * n, source.Pointer + (nint)limb * n, _inverses[limb], n, Remaining.Moduli[limb], width);
        GC.KeepAlive(source);
        GC.KeepAlive(quotient);
    }

    // By one modulus: its limb's coefficients are the remainder in every other limb, and are subtracted as their transform ends.
    private void DivideValues(RnsPolynomial source, RnsPolynomial quotient, VectorWidth width)
    {
        int n = _from.Degree;
        AlignedMemory scratch = _from.Pool.Rent(2 * n);
        double* remainder = scratch.Pointer, values = remainder + n;
        _from.Transform(Remaining.Count).Inverse(source.Pointer + (nint)Remaining.Count * n, remainder, width);
        for (int limb = 0; limb < Remaining.Count; limb++)
        {
            nint at = (nint)limb * n;
            KeyProducts.Finish(remainder, values, _from.Transform(limb), source.Pointer + at, _inverses[limb], null, quotient.Pointer + at, width);
        }
        quotient.Form = RnsForm.Values;
        _from.Pool.Return(scratch);
        GC.KeepAlive(source);
        GC.KeepAlive(quotient);
    }
}
