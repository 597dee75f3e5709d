namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Scales coefficients from modulus Q to a plaintext modulus t and rounds: round(t x / Q), exactly, over another basis.
/// With r = [t x]_Q balanced, t x - r is divisible by Q and the quotient is the rounded one (Q is odd: no ties). So only r crosses bases.
/// </summary>
public sealed unsafe class RnsScaling
{
    private readonly RnsBasis _from, _to;
    private readonly ulong _t;
    private readonly BaseConverter _converter;
    private readonly double[] _minusInverses, _factors; // j: -Q^-1 mod p_j, t Q^-1 mod p_j

    /// <summary>Prepares the scaling by t / Q.</summary>
    /// <param name="from">The basis of x, with product Q; odd primes.</param>
    /// <param name="to">The basis of the result, coprime to Q: t itself to decrypt, or an extension to multiply in.</param>
    /// <param name="t">The plaintext modulus.</param>
    public RnsScaling(RnsBasis from, RnsBasis to, ulong t)
    {
        ArgumentOutOfRangeException.ThrowIfZero(t);
        (_from, _to, _t) = (from, to, t);
        _converter = new BaseConverter(from, to);
        ulong[] inverses = [.. to.Moduli.Select(p => p.Invert((ulong)(from.Product % p.Value)))];
        _minusInverses = [.. to.Moduli.Select((p, j) => -p.Balance(inverses[j]))];
        _factors = [.. to.Moduli.Select((p, j) => p.Balance(NttPrimes.Multiply(inverses[j], t % p.Value, p.Value)))];
    }

    /// <summary>Scales x where every target modulus divides t, so that t x vanishes there: decryption.</summary>
    /// <param name="x">Coefficients over Q; unchanged.</param>
    /// <param name="result">Receives round(t x / Q) over the target basis.</param>
    public void Scale(RnsPolynomial x, RnsPolynomial result)
    {
        if (_factors.Any(factor => factor != 0)) throw new ArgumentException("The target moduli do not divide t: the residues of x for them are needed too.", nameof(result));
        Scale(x, null, result, VectorWidths.Best);
    }

    /// <summary>Scales x, whose residues are known in both bases.</summary>
    /// <param name="x">Coefficients over Q; unchanged.</param>
    /// <param name="extension">The same x over the target basis; unchanged, and not the result.</param>
    /// <param name="result">Receives round(t x / Q) over the target basis.</param>
    public void Scale(RnsPolynomial x, RnsPolynomial extension, RnsPolynomial result) => Scale(x, extension, result, VectorWidths.Best);

    internal void Scale(RnsPolynomial x, RnsPolynomial? extension, RnsPolynomial result, VectorWidth width)
    {
        if (!x.Basis.HasSameModuli(_from) || x.Form != RnsForm.Coefficients) throw new ArgumentException("x is not coefficients over Q.", nameof(x));
        if (extension is not null && (!extension.Basis.HasSameModuli(_to) || extension.Form != RnsForm.Coefficients || ReferenceEquals(extension, result)))
            throw new ArgumentException("The extension is not coefficients over the target basis, or is the result.", nameof(extension));
        if (!result.Basis.HasSameModuli(_to)) throw new ArgumentException("The result is not over the target basis.", nameof(result));
        int n = _from.Degree;
        using RnsPolynomial remainder = x.IsPublic ? RnsPolynomial.Public(_from) : new RnsPolynomial(_from);
        for (int limb = 0; limb < _from.Count; limb++)
            ElementWise.Run<Multiplication>(remainder.Pointer + (nint)limb * n, x.Pointer + (nint)limb * n, _from.Moduli[limb].Balance(_t), n, _from.Moduli[limb], width);
        _converter.Convert(remainder, result, BaseConversion.Exact, width);
        for (int limb = 0; limb < _to.Count; limb++)
        {
            double* at = result.Pointer + (nint)limb * n;
            ElementWise.Run<Multiplication>(at, at, _minusInverses[limb], n, _to.Moduli[limb], width);
            if (extension is not null) ElementWise.Run<Accumulation>(at, extension.Pointer + (nint)limb * n, _factors[limb], n, _to.Moduli[limb], width);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(extension);
        GC.KeepAlive(result);
    }
}
