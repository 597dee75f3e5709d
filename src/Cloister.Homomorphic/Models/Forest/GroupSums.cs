using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Sums of ciphertexts times polynomials, several side by side, as values.</summary>
internal sealed unsafe class GroupSums : IDisposable
{
    private readonly RnsBasis _basis;
    private readonly (RnsPolynomial C0, RnsPolynomial C1)[] _sums;
    private readonly RnsPolynomial _factor;
    private readonly int[] _products; // since a sum was reduced
    private readonly int _most;

    internal GroupSums(RnsBasis basis, int count)
    {
        _basis = basis;
        _sums = [.. Enumerable.Range(0, count).Select(_ => (new RnsPolynomial(basis, RnsForm.Values), new RnsPolynomial(basis, RnsForm.Values)))];
        _factor = new RnsPolynomial(basis);
        Scratch = new RnsPolynomial(basis);
        _products = new int[count];
        _most = basis.Moduli.Min(ProductSum.Most);
    }

    /// <summary>Writes a polynomial of small integers.</summary>
    internal delegate void Writer(Span<double> coefficients);

    /// <summary>Room for whoever needs it between two calls.</summary>
    internal RnsPolynomial Scratch { get; }

    internal void Clear()
    {
        foreach ((RnsPolynomial c0, RnsPolynomial c1) in _sums)
        {
            c0.Form = c1.Form = RnsForm.Values;
            for (int limb = 0; limb < _basis.Count; limb++)
            {
                c0.Limb(limb).Clear();
                c1.Limb(limb).Clear();
            }
        }
        Array.Clear(_products);
    }

    /// <summary>Adds a ciphertext times a polynomial to a sum.</summary>
    internal void Add(int at, Ciphertext ciphertext, Writer write)
    {
        (RnsPolynomial c0, RnsPolynomial c1) = _sums[at];
        if (_products[at]++ == _most) Reduce(at);
        Span<double> first = _factor.Limb(0);
        write(first);
        int n = _basis.Degree;
        for (int limb = 1; limb < _basis.Count; limb++) first.CopyTo(_factor.Limb(limb));
        for (int limb = 0; limb < _basis.Count; limb++)
        {
            nint place = (nint)limb * n;
            _basis.Transform(limb).Forward(_factor.Limb(limb));
            ProductSum.Add(c0.Pointer + place, c1.Pointer + place, _factor.Pointer + place, ciphertext.C0.Pointer + place, ciphertext.C1.Pointer + place, n, _basis.Moduli[limb], VectorWidths.Best);
        }
        GC.KeepAlive(ciphertext);
    }

    /// <summary>A sum, reduced.</summary>
    internal (RnsPolynomial C0, RnsPolynomial C1) Take(int at)
    {
        Reduce(at);
        return _sums[at];
    }

    public void Dispose()
    {
        foreach ((RnsPolynomial c0, RnsPolynomial c1) in _sums)
        {
            c0.Dispose();
            c1.Dispose();
        }
        _factor.Dispose();
        Scratch.Dispose();
    }

    private void Reduce(int at)
    {
        _products[at] = 1;
        for (int limb = 0; limb < _basis.Count; limb++)
        {
            nint place = (nint)limb * _basis.Degree;
            ProductSum.Reduce(_sums[at].C0.Pointer + place, _basis.Degree, _basis.Moduli[limb], VectorWidths.Best);
            ProductSum.Reduce(_sums[at].C1.Pointer + place, _basis.Degree, _basis.Moduli[limb], VectorWidths.Best);
        }
    }
}
