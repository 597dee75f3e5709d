namespace Cloister.Homomorphic.Ring;

/// <summary>
/// The number-theoretic transform of Z_p[X]/(X^n + 1): after it, the product of two polynomials is the element-wise product of their values.
/// In place, without allocation, the same bits at every <see cref="VectorWidth"/>, and time that depends on the degree alone.
/// </summary>
public sealed unsafe class NegacyclicNtt
{
    /// <summary>The least and the greatest degree.</summary>
    public const int MinimumDegree = 1024, MaximumDegree = 32768;

    /// <summary>Prepares the tables of roots.</summary>
    /// <param name="degree">n, a power of two from 1024 to 32768.</param>
    /// <param name="modulus">A prime that is 1 modulo 2n.</param>
    /// <exception cref="HomomorphicException">The degree is not supported, or the modulus has no transform of this size.</exception>
    public NegacyclicNtt(int degree, Modulus modulus)
    {
        if (degree is < MinimumDegree or > MaximumDegree || !int.IsPow2(degree))
            throw new HomomorphicException(HomomorphicError.DegreeNotSupported, $"The degree {degree} is no power of two from {MinimumDegree} to {MaximumDegree}.");
        if (!NttPrimes.IsPrime(modulus.Value))
            throw new HomomorphicException(HomomorphicError.ModulusNotPrime, $"The modulus {modulus.Value} is not prime.");
        if (modulus.Value % (2 * (ulong)degree) != 1)
            throw new HomomorphicException(HomomorphicError.ModulusHasNoTransform, $"The modulus {modulus.Value} is not 1 modulo {2 * degree}.");
        Degree = degree;
        Modulus = modulus;
        Tables = new NttTables(degree, modulus);
    }

    /// <summary>n, the number of coefficients.</summary>
    public int Degree { get; }

    /// <summary>p.</summary>
    public Modulus Modulus { get; }

    internal NttTables Tables { get; }

    /// <summary>Turns n balanced coefficients into n balanced values.</summary>
    /// <param name="polynomial">n integers in [-(p-1)/2, (p-1)/2]; others give meaningless results.</param>
    /// <param name="order">The order of the values.</param>
    public void Forward(Span<double> polynomial, NttOrder order = NttOrder.Internal) => Forward(polynomial, order, VectorWidths.Best);

    /// <summary>Turns n balanced values back into n balanced coefficients.</summary>
    /// <param name="values">n integers in [-(p-1)/2, (p-1)/2].</param>
    /// <param name="order">The order of the values.</param>
    public void Inverse(Span<double> values, NttOrder order = NttOrder.Internal) => Inverse(values, order, VectorWidths.Best);

    /// <summary>Writes the coefficients of values elsewhere.</summary>
    internal void Inverse(double* values, double* coefficients, VectorWidth width)
    {
        if (width == VectorWidth.Wide512)
        {
            Ntt512.Inverse(values, coefficients, Tables, NttOrder.Internal);
            GC.KeepAlive(this);
            return;
        }
        new ReadOnlySpan<double>(values, Degree).CopyTo(new Span<double>(coefficients, Degree));
        Inverse(new Span<double>(coefficients, Degree), NttOrder.Internal, width);
    }

    internal void Forward(Span<double> polynomial, NttOrder order, VectorWidth width)
    {
        if (polynomial.Length != Degree) throw new ArgumentException($"The polynomial has {polynomial.Length} coefficients instead of {Degree}.", nameof(polynomial));
        fixed (double* a = polynomial)
        {
            switch (width)
            {
                case VectorWidth.Wide512: Ntt512.Forward(a, Tables, order); break;
                case VectorWidth.Wide256: Ntt256.Forward(a, Tables); break;
                default: NttScalar.Forward(a, Tables); break;
            }
            if (order == NttOrder.BitReversed && width != VectorWidth.Wide512) NttOrders.Transpose(a, Degree);
        }
        GC.KeepAlive(this); // the kernels hold addresses of the tables alone
    }

    internal void Inverse(Span<double> values, NttOrder order, VectorWidth width)
    {
        if (values.Length != Degree) throw new ArgumentException($"There are {values.Length} values instead of {Degree}.", nameof(values));
        fixed (double* a = values)
        {
            if (order == NttOrder.BitReversed && width != VectorWidth.Wide512) NttOrders.Transpose(a, Degree);
            switch (width)
            {
                case VectorWidth.Wide512: Ntt512.Inverse(a, Tables, order); break;
                case VectorWidth.Wide256: Ntt256.Inverse(a, Tables); break;
                default: NttScalar.Inverse(a, Tables); break;
            }
        }
        GC.KeepAlive(this);
    }
}
